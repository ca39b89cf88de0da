/**
 * The workbench's own class names. They are internals of VS Code, not an interface: every one that the
 * tests rely on is in this file, so that a newer VS Code needs a change here and nowhere else.
 */
export const selectors = {
  workbench: '.monaco-workbench',
  statusBar: '.part.statusbar',
  statusEntry: '.part.statusbar .statusbar-item',
  problemCount: '#status\\.problems a',
  languageStatus: '[id="status.languageStatus"] a',
  languageStatusHover: '.hover-language-status',
  tokenInspector: '.token-inspect-widget',
  diffEditor: '.monaco-diff-editor',
  restricted: '[id="status.workspaceTrust"]',
  activeEditor: '.editor-group-container.active .monaco-editor',
  activeLine: '.editor-group-container.active .monaco-editor .view-line',
  activeTab: '.editor-group-container.active .tab.active',
  /** The caret in the editor that has the focus. */
  caret: '.monaco-editor.focused .cursors-layer .cursor',
  squiggle: '.squiggly-error, .squiggly-warning, .squiggly-info',
  /** A hover that shows text: an empty one is in the page as well. */
  hover: '.monaco-hover:visible .monaco-hover-content',
  problems: '.markers-panel',
  problemFilter: 'input[placeholder^="Filter (e.g. text"]:visible',
  problemRow: '.markers-panel .monaco-list-row',
  /** The severity of a row in Problems. */
  error: '.codicon-error',
  warning: '.codicon-warning',
  quickInput: '.quick-input-widget:visible',
  quickInputBox: '.quick-input-widget:visible .quick-input-box input',
  quickInputRow: '.quick-input-widget:visible .monaco-list-row',
  quickInputFocusedRow: '.quick-input-widget:visible .monaco-list-row.focused',
  quickInputCheckbox: '.monaco-checkbox, .quick-input-list-checkbox, input[type=checkbox]',
  quickInputAccept: '.quick-input-widget:visible .quick-input-action .monaco-button',
  notification: '.notification-toast:visible .notification-list-item',
  dialog: '.monaco-dialog-box:visible',
  preview: '.bulk-edit-panel .monaco-list',
  previewUnticked: '.bulk-edit-panel .edit-checkbox[aria-checked=false]',
  suggestion: '.suggest-widget.visible .monaco-list-row',
  rename: '.rename-box input',
  dirtyTab: '.tab.dirty',
  parameterHint: '.parameter-hints-widget.visible',
  codeAction: '.action-widget .monaco-list-row',
  breadcrumbs: '.editor-group-container.active .monaco-breadcrumbs',
  test: '.test-explorer .monaco-list-row',
  testRun: '.codicon-testing-run-icon',
  testPassed: '.codicon-testing-passed-icon',
  testFailed: '.codicon-testing-failed-icon',
  /** What a view says that has nothing to show. */
  welcome: '.welcome-view-content:visible',
  walkthrough: '.getting-started-category:visible, .gettingStartedDetailsContent:visible',
  terminal: '.integrated-terminal:visible',
  codeLens: '.monaco-editor .codelens-decoration a',
  /** A webview is a frame in a frame. */
  webviewOuter: 'iframe.webview.ready',
  webviewInner: '#active-frame',
  button: '.monaco-button:visible, .monaco-text-button:visible, a.action-label[role=button]:visible',
} as const;
