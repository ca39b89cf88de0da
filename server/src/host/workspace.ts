import { dirname, join, relative, sep } from 'node:path';
import { readBlobName } from '../core/blob-names';
import { ParserMissing } from '../core/csource/tree';
import type { RuleSeverity } from '../core/manifest/names';
import { searchNotices } from '../features/search-notices';
import { faultFinding } from '../rules/engine';
import type { Finding } from '../rules/rule';
import { type Files, isInside, Overlay } from './files';
import { RevisionFiles, Revisions } from './git/revisions';
import { Ignored } from './ignored';
import { isManifestName, nearestManifests, rootOf } from './locate';
import { Project } from './project';
import { Units } from './units';

/** Folders that the first look for manifests visits at most, and how deep. */
const MAX_FOLDERS = 2_000;
const MAX_DEPTH = 5;

/** What breaks the analysis of one lineage is said in its manifest, and the others are analysed all the same. */
function guardedFindings(project: Project): { list: readonly Finding[]; notices: readonly string[] } {
  try {
    const analysis = project.analyse();
    return { list: analysis.findings(), notices: searchNotices(analysis) };
  } catch (error) {
    if (error instanceof ParserMissing) throw error;
    const place = { file: project.manifest, start: 0, end: 0 };
    return { list: [faultFinding('this lineage could not be checked', error, place)], notices: [] };
  }
}

/** All lineages that an editor's folders hold. */
export class Workspace {
  readonly files: Overlay;
  readonly #folders: string[] = [];
  readonly #units: Units;
  #ignored: Ignored;
  readonly #projects = new Map<string, Project>();
  /** Those whose findings nobody has waited for yet. */
  readonly #putOff = new Set<Project>();
  #severities: ReadonlyMap<string, RuleSeverity> = new Map();
  /** Folders of the editor that were too large to look through for manifests. */
  readonly #tooLarge = new Set<string>();
  /** Of the lineages whose findings were asked for last: what cut their search short. */
  #notices: readonly string[] = [];

  constructor(disk: Files) {
    this.files = new Overlay(disk.revisions ? disk : new RevisionFiles(disk, new Revisions(false)));
    this.#units = new Units(this.files);
    this.#ignored = new Ignored(this.files, []);
  }

  /** Adds a folder and the manifests in it; deeper ones are found when a document next to them opens. */
  addFolder(folder: string): void {
    this.#folders.push(folder);
    let left = MAX_FOLDERS;
    let level: string[] = [folder];
    for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth++) {
      const next: string[] = [];
      for (const current of level) {
        if (left-- <= 0) {
          this.#tooLarge.add(folder);
          return;
        }
        for (const entry of this.files.entries(current)) {
          const path = join(current, entry.name);
          // Links to folders are no folders here: nothing goes round in a circle.
          if (entry.isFile() && isManifestName(entry.name)) {
            if (!this.#hides(folder, path, false)) this.addManifest(path);
          } else if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') {
            if (!this.#hides(folder, path, true)) next.push(path);
          }
        }
      }
      level = next;
    }
  }

  /** What was not looked at, in words for a person; empty where everything was. */
  get notLookedAt(): string {
    const put =
      this.#putOff.size === 0 ? '' : `, ${this.#putOff.size} not analysed until a file of theirs opens`;
    const later = put + this.#notices.map((notice) => `. ${notice}`).join('');
    return this.#tooLarge.size === 0
      ? later
      : `${later}, manifests looked for in ${MAX_FOLDERS} folders only: the others are found when a file beside them opens`;
  }

  /** Leaves the findings of all lineages for later: until they are taken up, or until a file beside their manifest opens. */
  putOff(): void {
    for (const project of this.projects) this.#putOff.add(project);
  }

  takeUp(projects: readonly Project[]): void {
    for (const project of projects) this.#putOff.delete(project);
  }

  #hides(top: string, path: string, isFolder: boolean): boolean {
    return this.#ignored.hides(top, relative(top, path).split(sep).join('/'), isFolder);
  }

  /** Whether the file or a folder that it lies in is hidden. */
  #isHidden(top: string, path: string): boolean {
    if (!path.startsWith(`${top}/`)) return false;
    if (this.#hides(top, path, false)) return true;
    for (let folder = dirname(path); folder !== top; folder = dirname(folder))
      if (this.#hides(top, folder, true)) return true;
    return false;
  }

  /** What the editor hides, as patterns relative to its folders; before any folder is added. */
  hide(patterns: readonly string[]): void {
    this.#ignored = new Ignored(this.files, patterns);
  }

  removeFolder(folder: string): void {
    const at = this.#folders.indexOf(folder);
    if (at >= 0) this.#folders.splice(at, 1);
    this.#tooLarge.delete(folder);
    for (const path of this.#projects.keys()) {
      if (path.startsWith(`${folder}/`) && !this.#folders.some((left) => path.startsWith(`${left}/`))) {
        this.removeManifest(path);
      }
    }
  }

  addManifest(path: string): void {
    if (this.#projects.has(path)) return;
    const folder = this.#folders
      .filter((candidate) => isInside(this.files, candidate, path))
      .sort((a, b) => b.length - a.length)[0];
    const project = new Project(path, folder ?? rootOf(path), this.files, this.#units);
    project.useSeverities(this.#severities);
    this.#projects.set(path, project);
  }

  removeManifest(path: string): void {
    this.takeUp(this.projects.filter((project) => project.manifest === path));
    this.#projects.delete(path);
  }

  /** The severities of findings that the person wants in all lineages. */
  useSeverities(severities: ReadonlyMap<string, RuleSeverity>): void {
    this.#severities = severities;
    for (const project of this.#projects.values()) project.useSeverities(severities);
  }

  /** A document was opened or changed. */
  open(path: string, version: number, text: string): void {
    // What stands in a revision cannot be edited.
    if (readBlobName(path)) return;
    const opened = this.files.version(path) === null;
    this.files.set(path, version, text);
    if (opened) this.#cameOrWent(path);
    const name = path.slice(dirname(path).length + 1);
    if (isManifestName(name)) this.addManifest(path);
    else if (/\.(?:[ch]|patch|diff)$/.test(path)) {
      for (const manifest of nearestManifests(this.files, dirname(path))) this.addManifest(manifest);
    }
    if (!isManifestName(name)) this.#units.opened(path);
    for (const project of this.#putOff)
      if (path.startsWith(`${dirname(project.manifest)}/`)) this.#putOff.delete(project);
  }

  close(path: string): void {
    this.files.delete(path);
    this.#cameOrWent(path);
    this.#units.closed(path);
  }

  /** A document that no file stands behind is there from its opening to its closing. */
  #cameOrWent(path: string): void {
    if (this.files.real(path) === null) this.filesChanged();
  }

  /** Files came, went or changed on disk. */
  diskChanged(path: string, gone: boolean): void {
    if (isManifestName(path.slice(dirname(path).length + 1))) {
      if (gone && this.files.version(path) === null) this.removeManifest(path);
      else if (!this.#folders.some((top) => this.#isHidden(top, path))) this.addManifest(path);
    }
    this.filesChanged();
  }

  /** Sources are looked for again. */
  filesChanged(): void {
    for (const project of this.#projects.values()) project.filesChanged();
  }

  /** The revision that a file was read from; undefined in the work tree. */
  revisionOf(file: string): string | undefined {
    for (const project of this.projects) {
      const revision = project.revisionOf(file);
      if (revision !== undefined) return revision;
    }
    return undefined;
  }

  get projects(): readonly Project[] {
    return [...this.#projects.values()];
  }

  project(manifest: string): Project | undefined {
    return this.#projects.get(manifest);
  }

  /** The projects whose analysis this file takes part in. */
  projectsOf(path: string): readonly Project[] {
    return this.projects.filter((project) => project.manifest === path || project.involves(path));
  }

  /** Findings by file, of all lineages that were not put off. */
  findings(): Map<string, Finding[]> {
    const byFile = new Map<string, Finding[]>();
    const seen = new Set<string>();
    const notices = new Set<string>();
    for (const project of this.projects) {
      if (this.#putOff.has(project)) continue;
      const found = guardedFindings(project);
      for (const notice of found.notices) notices.add(notice);
      for (const finding of found.list) {
        const { file, start, end } = finding.place;
        // Two lineages that share a source may say the same thing about it.
        const key = `${file}\0${start}\0${end}\0${finding.code}\0${finding.message}`;
        if (seen.has(key)) continue;
        seen.add(key);
        const list = byFile.get(file) ?? [];
        list.push(finding);
        byFile.set(file, list);
      }
    }
    this.#notices = [...notices];
    return byFile;
  }

  dispose(): void {
    this.#projects.clear();
    this.#units.dispose();
  }
}
