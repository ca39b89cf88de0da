import {
  type CompletionItem,
  CompletionItemKind,
  type CompletionList,
  MarkupKind,
  type SignatureHelp,
} from 'vscode-languageserver/node';
import { type CompletionKind, completions } from '../features/completion';
import { signatureHelp } from '../features/signature-help';
import { toRange } from './convert';
import { atPosition, type Session } from './session';

const KINDS: Readonly<Record<CompletionKind, CompletionItemKind>> = {
  key: CompletionItemKind.Property,
  value: CompletionItemKind.EnumMember,
  version: CompletionItemKind.Reference,
  module: CompletionItemKind.Module,
  callback: CompletionItemKind.Function,
  constant: CompletionItemKind.Constant,
  step: CompletionItemKind.Keyword,
  rule: CompletionItemKind.Value,
};

/** What helps while a person types. */
export function typingRequests(session: Session): void {
  const { connection } = session;
  connection.onCompletion((params, token) =>
    session.answer<CompletionList | null>('completion', null, token, () => {
      const items = new Map<string, CompletionItem>();
      for (const { analysis, path, offset, lines } of atPosition(session, params, token)) {
        for (const it of completions(analysis, path, offset)) {
          if (items.has(it.label)) continue;
          items.set(it.label, {
            label: it.label,
            kind: KINDS[it.kind],
            sortText: String(items.size).padStart(4, '0'),
            filterText: it.label,
            textEdit: { range: toRange(lines, it.span), newText: it.insert },
            ...(it.detail === '' ? {} : { detail: it.detail }),
            ...(it.documentation === ''
              ? {}
              : { documentation: { kind: MarkupKind.Markdown, value: it.documentation } }),
          });
        }
      }
      return items.size > 0 ? { isIncomplete: false, items: [...items.values()] } : null;
    }),
  );
  connection.onSignatureHelp((params, token) =>
    session.answer<SignatureHelp | null>('signature help', null, token, () => {
      for (const { analysis, path, offset } of atPosition(session, params, token)) {
        const found = signatureHelp(analysis, path, offset);
        if (!found) continue;
        const { label, documentation: value, parameter } = found;
        return {
          signatures: [
            {
              label,
              documentation: { kind: MarkupKind.Markdown, value },
              parameters: [{ label: label.slice(parameter.start, parameter.end) }],
            },
          ],
          activeSignature: 0,
          activeParameter: 0,
        };
      }
      return null;
    }),
  );
}
