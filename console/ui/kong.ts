// The only place that knows Kong's component library: everything else imports from ui/.
import { KButton, KLabel, KPop, KTooltip } from '@kong/kongponents';
import type { App } from 'vue';

export type { ButtonProps } from '@kong/kongponents';
export {
  KAlert as UiAlert,
  KBadge as UiBadge,
  KButton as KongButton,
  KInput as UiInput,
  KSkeleton as UiSkeleton,
} from '@kong/kongponents';

/** Components of the library look for these by their names. */
export function registerInnerComponents(app: App): void {
  for (const [name, component] of Object.entries({ KButton, KLabel, KPop, KTooltip })) app.component(name, component);
}
