export { createSignIn, type SignIn, type SignInSettings } from './sign-in.ts';
