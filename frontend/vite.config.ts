import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";

export default defineConfig({
  // Django serves the build under STATIC_URL.
  base: "/static/",
  publicDir: false,
  plugins: [tailwindcss()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // The template tag `asset` reads this file; its name must not clash with a web app manifest.
    manifest: "assets.json",
    // The content security policy allows no data: fonts and no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: ["chrome120", "firefox120", "safari17"],
    rolldownOptions: { input: { main: "src/main.ts", compose: "src/compose.ts", writing: "src/writing.ts" } },
  },
});
