/** Starts the page inside a VS Code webview. */
import { Page } from './page';
import { isPanelUpdate } from './update-shape';

declare function acquireVsCodeApi(): {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
};

const api = acquireVsCodeApi();
const root = document.getElementById('root');
if (root !== null) {
  const page = new Page(root, {
    post: (request) => api.postMessage(request),
    getState: () => api.getState(),
    setState: (state) => api.setState(state),
  });
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (isPanelUpdate(event.data)) page.update(event.data);
    else console.warn('Livepatch Lineage: a message of unknown form was ignored');
  });
  api.postMessage({ type: 'ready' });
}
