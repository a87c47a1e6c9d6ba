// The only place that knows Kong's component library: everything else imports from ui/.
import { KButton, KLabel, KPop, KTooltip } from '@kong/kongponents';
import type { App } from 'vue';

export {
  KAlert as UiAlert,
  KBadge as UiBadge,
  KBreadcrumbs as UiBreadcrumbs,
  KButton as UiButton,
  KCard as UiCard,
  KCheckbox as UiCheckbox,
  KCodeBlock as UiCodeBlock,
  KCollapse as UiCollapse,
  KDropdown as UiDropdown,
  KDropdownItem as UiDropdownItem,
  KInput as UiInput,
  KLabel as UiLabel,
  KRadio as UiRadio,
  KSegmentedControl as UiSegmentedControl,
  KSkeleton as UiSkeleton,
  KStepper as UiStepper,
  KTabs as UiTabs,
  KTextArea as UiTextArea,
  KTooltip as UiTooltip,
} from '@kong/kongponents';

/** Components of the library look for these by their names. */
export function registerInnerComponents(app: App): void {
  for (const [name, component] of Object.entries({ KButton, KLabel, KPop, KTooltip })) app.component(name, component);
}
