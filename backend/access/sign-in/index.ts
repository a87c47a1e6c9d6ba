export type { OidcSettings } from './oidc/provider.ts';
export { createSignIn, type SignIn, type SignInSettings } from './sign-in.ts';
