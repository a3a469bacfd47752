// For tsc only: Deno and JSR know the `cloudflare:` scheme by themselves.
declare module "cloudflare:sockets" {
  export const connect: unknown;
}
