import type { CancellationToken } from 'vscode-languageserver/node';
import { readBlobName } from '../core/blob-names';
import { rehearsalSteps } from '../core/lineage/run';
import { Lines } from '../core/lines';
import { formatStep } from '../core/manifest/steps';
import { type NextVersion, nextVersion } from '../core/scaffold/next-version';
import type { Scaffold } from '../core/scaffold/scaffold';
import { comparisons } from '../features/compare';
import { lineagesOf } from '../features/lineages';
import { panelModel } from '../features/panel';
import { panelTransition } from '../features/panel-transition';
import { replaceableAnswer } from '../features/replaceable-answer';
import { runbookDocument } from '../features/runbook-answer';
import { scaffoldAnswer } from '../features/scaffold-answer';
import { scenarioResults } from '../features/scenarios';
import { explainAnswer, readTypedSteps, simulateAnswer } from '../features/simulate-answer';
import { exists, isInside } from '../host/files';
import { initManifest } from '../host/init';
import { readInstalled } from '../host/installed';
import { placesOf } from '../host/places-of';
import type { Project } from '../host/project';
import { recordsOf } from '../host/rehearsal/record';
import { rulePage } from '../rules/page';
import { RULES } from '../rules/registry';
import { toRange } from './convert';
import {
  COMPARE_REQUEST,
  type CompareResult,
  EXPLAIN_REQUEST,
  type ExplainResult,
  INIT_REQUEST,
  type InitParams,
  type InitResult,
  LINEAGES_REQUEST,
  type LineagesParams,
  type LineagesResult,
  type ManifestParams,
  NEW_VERSION_REQUEST,
  type NewVersionParams,
  PAGE_REQUEST,
  PANEL_REQUEST,
  type PageParams,
  type PanelResult,
  REHEARSAL_REQUEST,
  REPLACEABLE_REQUEST,
  REVISION_REQUEST,
  type RehearsalResult,
  type ReplaceableParams,
  type ReplaceableResult,
  type RevisionParams,
  type RevisionResult,
  RUNBOOK_REQUEST,
  SCAFFOLD_REQUEST,
  SCENARIOS_REQUEST,
  type ScaffoldParams,
  type ScaffoldResult,
  type ScenariosResult,
  SIMULATE_REQUEST,
  type SimulateResult,
  STEPS_REQUEST,
  type StepsParams,
  type StepsResult,
  type StepsTrouble,
  TRANSITION_REQUEST,
  type TransitionParams,
  type TransitionResult,
} from './protocol';
import { searchAhead } from './search-ahead';
import { type Session, throwIfCancelled } from './session';

const FAILED = 'The server failed; its log says why.';

/** The requests of protocol.ts. */
export function ownRequests(session: Session): void {
  const { connection, uris, workspace } = session;
  const projectOf = (params: ManifestParams): Project | null => {
    const path = uris.path(params.manifest);
    return path === null ? null : (workspace.project(path) ?? null);
  };
  const written = (project: Project, answer: Scaffold | NextVersion): ScaffoldResult => {
    if (!answer.ok) return answer;
    // The editor follows links, dangling ones too.
    const astray = answer.files.find(
      ({ path }) => exists(path) || !isInside(workspace.files, project.root, path),
    );
    if (astray)
      return {
        ok: false,
        reasons: [`${astray.path} is there already, or leads outside ${project.root}.`],
      };
    const lines = new Lines(project.analyse().text(project.manifest));
    return {
      ok: true,
      files: answer.files.map((file) => ({ uri: uris.uri(file.path), text: file.text })),
      manifestEdits: answer.manifestEdits.map((edit) => ({
        range: toRange(lines, edit),
        newText: edit.text,
      })),
      manifestVersion: workspace.files.version(project.manifest),
      notes: answer.notes,
    };
  };
  const on = <P, R>(
    method: string,
    empty: (params: P) => R,
    work: (params: P, token: CancellationToken) => R,
  ): void => {
    connection.onRequest<unknown, void>(method, (params: P, token: CancellationToken) =>
      session.answerSlowly(method, empty(params), token, async () => {
        const project = isAboutLineage(params) ? projectOf(params) : null;
        if (project) await searchAhead(project.analyse().transitions, () => token.isCancellationRequested);
        throwIfCancelled(token);
        return work(params, token);
      }),
    );
  };

  on<LineagesParams, LineagesResult>(
    LINEAGES_REQUEST,
    () => ({ lineages: [] }),
    (params, token) => {
      const path = params.document === undefined ? null : uris.path(params.document);
      const projects = path === null ? workspace.projects : workspace.projectsOf(path);
      return {
        lineages: projects.map((project) => {
          throwIfCancelled(token);
          return lineagesOf(project.analyse(), uris.uri(project.manifest));
        }),
      };
    },
  );
  on<ManifestParams, PanelResult | null>(
    PANEL_REQUEST,
    () => null,
    (params) => {
      const project = projectOf(params);
      if (!project) return null;
      const installed = readInstalled('/');
      const here = 'problem' in installed ? null : installed;
      const analysis = project.analyse();
      return { model: panelModel(analysis, (file) => uris.uri(file), here, recordsOf(analysis)) };
    },
  );
  on<TransitionParams, TransitionResult | null>(
    TRANSITION_REQUEST,
    () => null,
    (params) => {
      const project = projectOf(params);
      const uri = (file: string): string => uris.uri(file);
      if (!project) return null;
      const analysis = project.analyse();
      const transition = panelTransition(analysis, params.from, params.to, uri, recordsOf(analysis));
      return transition ? { transition } : null;
    },
  );
  on<ScaffoldParams, ScaffoldResult>(
    SCAFFOLD_REQUEST,
    () => ({ ok: false, reasons: [FAILED] }),
    (params) => {
      const project = projectOf(params);
      if (!project) return { ok: false, reasons: [unknownLineage(params)] };
      const { restore, after, as, values = {} } = params;
      const given = new Map(Object.entries(values));
      return written(project, scaffoldAnswer(project.analyse(), restore, after, as, null, given));
    },
  );
  on<ReplaceableParams, ReplaceableResult>(
    REPLACEABLE_REQUEST,
    () => ({ edits: [], reasons: [FAILED] }),
    (params) => {
      const project = projectOf(params);
      if (!project) return { edits: [], reasons: [unknownLineage(params)] };
      const analysis = project.analyse();
      const { changes, reasons } = replaceableAnswer(analysis, params.version);
      return {
        edits: changes.map((change) => ({
          uri: uris.uri(change.file),
          range: toRange(new Lines(analysis.text(change.file)), change),
          newText: change.text,
        })),
        reasons,
      };
    },
  );
  on<NewVersionParams, ScaffoldResult>(
    NEW_VERSION_REQUEST,
    () => ({ ok: false, reasons: [FAILED] }),
    (params) => {
      const project = projectOf(params);
      if (!project) return { ok: false, reasons: [unknownLineage(params)] };
      return written(
        project,
        nextVersion(project.analyse(), { from: params.from, as: params.as, out: null }),
      );
    },
  );
  on<PageParams, { markdown: string } | null>(
    PAGE_REQUEST,
    () => null,
    (params) => {
      const rule = RULES.find((item) => item.code === params.code);
      return rule ? { markdown: rulePage(rule) } : null;
    },
  );
  on<ManifestParams, CompareResult>(
    COMPARE_REQUEST,
    () => ({ pairs: [] }),
    (params) => {
      const project = projectOf(params);
      const uri = (file: string | null): string | null => (file === null ? null : uris.uri(file));
      const pairs = project ? comparisons(project.analyse()) : [];
      return {
        pairs: pairs.map(({ files, ...pair }) => ({
          ...pair,
          files: files.map((it) => ({ ...it, before: uri(it.before), after: uri(it.after) })),
        })),
      };
    },
  );
  on<ManifestParams, ScenariosResult>(
    SCENARIOS_REQUEST,
    () => ({ scenarios: [] }),
    (params) => {
      const project = projectOf(params);
      if (!project) return { scenarios: [] };
      const analysis = project.analyse();
      const lines = new Lines(analysis.text(project.manifest));
      return {
        scenarios: scenarioResults(analysis).map(({ place, ...result }) => ({
          ...result,
          range: toRange(lines, place),
        })),
      };
    },
  );
  on<InitParams, InitResult>(
    INIT_REQUEST,
    () => ({ ok: false, reason: FAILED }),
    (params) => {
      const folder = uris.path(params.folder);
      if (folder === null || readBlobName(folder))
        return { ok: false, reason: `${params.folder} is no folder on disk.` };
      const made = initManifest(workspace.files, folder);
      return made.ok ? { ...made, uri: uris.uri(made.path) } : made;
    },
  );
  on<RevisionParams, RevisionResult>(
    REVISION_REQUEST,
    () => null,
    (params) => {
      const file = uris.path(params.uri);
      if (file === null || !readBlobName(file)) return null;
      // A document may be shown again before anything has been analysed.
      if (workspace.files.real(file) === null) for (const project of workspace.projects) project.analyse();
      const text = workspace.files.read(file);
      return typeof text === 'string' ? { text } : null;
    },
  );
  on<StepsParams, StepsResult>(STEPS_REQUEST, troubled(FAILED), (params) => {
    const project = projectOf(params);
    if (!project) return troubled<StepsParams>(unknownLineage(params))(params);
    const read = readTypedSteps(project.analyse(), params.steps);
    return 'problem' in read ? read : null;
  });
  on<StepsParams, SimulateResult>(SIMULATE_REQUEST, troubled(FAILED), (params) => {
    const project = projectOf(params);
    return project
      ? simulateAnswer(project.analyse(), params.steps, placesOf(project))
      : troubled<StepsParams>(unknownLineage(params))(params);
  });
  on<TransitionParams, ExplainResult>(
    EXPLAIN_REQUEST,
    () => ({ problem: FAILED }),
    (params) => {
      const project = projectOf(params);
      return project
        ? explainAnswer(project.analyse(), params.from, params.to, placesOf(project))
        : { problem: unknownLineage(params) };
    },
  );
  on<TransitionParams, ExplainResult>(
    RUNBOOK_REQUEST,
    () => ({ problem: FAILED }),
    (params) => {
      const project = projectOf(params);
      return project
        ? runbookDocument(project.analyse(), params.from, params.to, placesOf(project))
        : { problem: unknownLineage(params) };
    },
  );
  on<TransitionParams, RehearsalResult>(
    REHEARSAL_REQUEST,
    () => ({ problem: FAILED }),
    (params) => {
      const project = projectOf(params);
      if (!project) return { problem: unknownLineage(params) };
      const { from, to } = params;
      const known = project.analyse().lineage.versions.map((version) => version.name);
      if (from === to || !known.includes(to) || (from !== 'none' && !known.includes(from)))
        return { problem: `There is no transition from ${from} to ${to}.` };
      const steps = rehearsalSteps(project.analyse().lineage, from === 'none' ? null : from, to);
      return { steps: steps.map(formatStep).join('; ') };
    },
  );
}

/** What comes in may be anything. */
function isAboutLineage(params: unknown): params is ManifestParams {
  return typeof (params as Partial<ManifestParams> | null | undefined)?.manifest === 'string';
}

/** Trouble with all of the steps; what came in may be anything. */
function troubled<P extends Partial<StepsParams> | null | undefined>(
  problem: string,
): (params: P) => StepsTrouble {
  return (params) => {
    const steps: unknown = params?.steps;
    return { problem, start: 0, end: typeof steps === 'string' ? steps.length : 0 };
  };
}

function unknownLineage({ manifest }: ManifestParams): string {
  return `The server knows no lineage at ${manifest}.`;
}
