import type { PatchFacts } from '../core/execution/fact-types';
import { isNoLivepatch, type LineageVersion } from '../core/lineage/lineage';
import { rehearsalSteps } from '../core/lineage/run';
import { because } from '../core/lineage/transitions';
import type { Step } from '../core/manifest/steps';
import type { Place } from '../core/place';
import { Places } from '../core/places';
import type { Analysis } from './analysis';
import { type Installed, installedAnswer, installedWords } from './installed';
import type {
  PanelFunction,
  PanelModel,
  PanelObject,
  PanelSource,
  PanelVersion,
  Rehearsed,
} from './panel-model';
import { searchNotices } from './search-notices';

/** Turns places into what the page can ask to open. */
export type ToSource = (place: Place | null) => PanelSource | null;

export function sourcesFor(analysis: Analysis, toUri: (file: string) => string): ToSource {
  const places = new Places(toUri, (file) => analysis.text(file));
  return (place) => {
    if (!place) return null;
    const at = places.at(place);
    return { uri: at.file, line: at.line, column: at.column };
  };
}

/** The whole stack, without any run told in detail. */
export function panelModel(
  analysis: Analysis,
  toUri: (file: string) => string,
  installed: Installed | null = null,
  rehearsed: (steps: readonly Step[]) => Rehearsed | null = () => null,
): PanelModel {
  const { lineage, transitions } = analysis;
  const here = installed && installedAnswer(lineage, transitions, installed);
  const toSource = sourcesFor(analysis, toUri);
  return {
    schema: 1,
    lineage: lineage.name,
    kernel: lineage.capabilities.release,
    manifestUri: toUri(analysis.manifestFile),
    findings: analysis.findings().length,
    versions: lineage.versions.map((version) => ({
      ...panelVersion(analysis, version, toSource),
      installed: here && installedWords(here, version.name),
    })),
    matrix: transitions.all().map((transition) => ({
      from: transition.from?.name ?? 'none',
      to: transition.to.name,
      verdict: transition.run.verdict.word,
      certainty: transition.run.verdict.certainty,
      because: because(transition),
      rehearsed: rehearsed(rehearsalSteps(lineage, transition.from?.name ?? null, transition.to.name)),
    })),
    notices: [
      ...searchNotices(analysis),
      // A machine on which nothing of the lineage is installed is the usual one to write livepatches on.
      ...(here?.livepatches.some((it) => it.version !== null) ? here.notes : []),
      ...lineage.versions.flatMap((version) =>
        version.unread.length > 0
          ? [`${version.name}: ${version.unread.join(', ')} could not be read`]
          : isNoLivepatch(version)
            ? [`${version.name}: no livepatch was found in its sources`]
            : version.facts && !version.facts.complete
              ? [`${version.name}: parts of its sources could not be understood`]
              : [],
      ),
    ],
  };
}

function panelVersion(
  analysis: Analysis,
  version: LineageVersion,
  toSource: ToSource,
): Omit<PanelVersion, 'installed'> {
  const { entry } = version;
  const patch = version.facts?.patch ?? null;
  const below = analysis.lineage.versions[version.index - 1]?.facts?.patch ?? null;
  const manifestPlace = { file: analysis.manifestFile, ...entry.version.place };
  const effects = analysis.transitions
    .transition(null, version)
    .run.end.effects()
    .filter((effect) => effect.row.noun !== '');
  return {
    version: version.name,
    module: version.module,
    status: entry.status.value,
    note: entry.note?.value ?? null,
    restores: entry.restores?.value ?? null,
    cleansUpAfter: entry.cleansUpAfter.map((name) => name.value),
    replace: patch?.replace ?? null,
    complete: version.facts?.complete === true && version.unread.length === 0,
    source: toSource(patch?.place ?? manifestPlace),
    objects: (patch?.objects ?? []).map(
      (object): PanelObject => ({
        name: object.name,
        functions: (object.functions ?? []).map(
          (fn): PanelFunction => ({
            old: fn.old,
            new: fn.new,
            change: below && !patchesFunction(below, object.name, fn.old) ? 'added' : 'kept',
            source: toSource(fn.place),
          }),
        ),
        callbacks: object.callbacks.map((callback) => ({
          callback: callback.callback,
          function: callback.function,
          source: toSource(callback.definition ?? callback.place),
        })),
      }),
    ),
    states: (patch?.states ?? []).map((state) => ({
      id: String(state.id),
      version: state.version === null ? 'unknown' : String(state.version),
      source: toSource(state.place),
    })),
    shadow: (version.facts?.shadow ?? []).map((use) => ({
      id: use.id,
      api: use.api,
      source: toSource(use.place),
    })),
    givesBack: patch && below ? givenBack(below, patch) : [],
    effects: effects.map((effect) => ({
      noun: effect.row.noun,
      key: effect.key,
      api: effect.row.do,
      source: toSource(effect.by.place),
    })),
  };
}

function patchesFunction(patch: PatchFacts, object: string | null, old: string): boolean {
  return (patch.objects ?? []).some(
    (it) => it.name === object && (it.functions ?? []).some((fn) => fn.old === old),
  );
}

/** Functions that the version below patches and this one leaves to the original kernel. */
export function givenBack(
  below: PatchFacts,
  patch: PatchFacts,
): { readonly object: string | null; readonly function: string }[] {
  return (below.objects ?? []).flatMap((object) =>
    (object.functions ?? [])
      .filter((fn) => !patchesFunction(patch, object.name, fn.old))
      .map((fn) => ({ object: object.name, function: fn.old })),
  );
}
