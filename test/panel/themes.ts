/** What VS Code gives its webviews in three of its own themes; only the variables that the panel uses. */

const DARK = {
  'editor-background': '#1f1f1f',
  'editor-foreground': '#cccccc',
  foreground: '#cccccc',
  descriptionForeground: '#9d9d9d',
  'editorWidget-border': '#454545',
  focusBorder: '#0078d4',
  'textLink-foreground': '#4daafc',
  'textLink-activeForeground': '#4daafc',
  'charts-green': '#89d185',
  'charts-yellow': '#cca700',
  'charts-red': '#f14c4c',
  'button-background': '#0078d4',
  'button-foreground': '#ffffff',
  'button-hoverBackground': '#026ec1',
  'button-border': 'rgba(255, 255, 255, 0.07)',
  'button-secondaryBackground': '#313131',
  'button-secondaryForeground': '#cccccc',
  'button-secondaryHoverBackground': '#3c3c3c',
  'dropdown-background': '#313131',
  'dropdown-foreground': '#cccccc',
  'dropdown-border': '#3c3c3c',
} as const;

const FONTS = {
  'font-family': 'system-ui, "DejaVu Sans", sans-serif',
  'font-size': '13px',
  'editor-font-family': '"DejaVu Sans Mono", monospace',
  'editor-font-size': '12px',
};

const LIGHT = {
  ...DARK,
  'editor-background': '#ffffff',
  'editor-foreground': '#3b3b3b',
  foreground: '#3b3b3b',
  descriptionForeground: '#3b3b3b',
  'editorWidget-border': '#c8c8c8',
  focusBorder: '#005fb8',
  'textLink-foreground': '#005fb8',
  'textLink-activeForeground': '#005fb8',
  'charts-green': '#388a34',
  'charts-yellow': '#bf8803',
  'charts-red': '#e51400',
  'button-background': '#005fb8',
  'button-hoverBackground': '#0258a8',
  'button-border': 'rgba(0, 0, 0, 0.1)',
  'button-secondaryBackground': '#e5e5e5',
  'button-secondaryForeground': '#3b3b3b',
  'button-secondaryHoverBackground': '#cccccc',
  'dropdown-background': '#ffffff',
  'dropdown-foreground': '#3b3b3b',
  'dropdown-border': '#cecece',
};

const HIGH_CONTRAST = {
  ...DARK,
  'editor-background': '#000000',
  'editor-foreground': '#ffffff',
  foreground: '#ffffff',
  descriptionForeground: 'rgba(255, 255, 255, 0.7)',
  contrastBorder: '#6fc3df',
  focusBorder: '#f38518',
  'textLink-foreground': '#21a6ff',
  'button-background': '#000000',
  'button-border': '#6fc3df',
  'button-secondaryBackground': '#000000',
  'button-secondaryForeground': '#ffffff',
  'dropdown-background': '#000000',
  'dropdown-foreground': '#ffffff',
  'dropdown-border': '#6fc3df',
};

export type ThemeName = 'dark' | 'light' | 'high-contrast';

const THEMES: Readonly<Record<ThemeName, Readonly<Record<string, string>>>> = {
  dark: { ...FONTS, ...DARK },
  light: { ...FONTS, ...LIGHT },
  'high-contrast': { ...FONTS, ...HIGH_CONTRAST },
};

/** The variables of a theme, as VS Code sets them on the root element. */
export function themeVariables(theme: ThemeName): [string, string][] {
  return Object.entries(THEMES[theme]).map(([name, value]) => [`--vscode-${name}`, value]);
}
