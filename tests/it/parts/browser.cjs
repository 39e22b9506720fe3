// Walks a real Chromium through visits read from stdin (JSON) and prints what each step saw (JSON).
// A visit has its own context: { locale, scheme, width, steps: [{ do, … }] }.
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const part = createRequire(process.env.FEDGATE_BROWSER_PART + "/");
const { chromium } = part("playwright-core");
const axe = part.resolve("axe-core/axe.min.js");

const actions = {
  goto: async (page, step) => {
    const answer = await page.goto(step.url);
    return answer ? { status: answer.status(), headers: answer.headers() } : {};
  },
  fill: async (page, step) => page.fill(step.selector, step.value),
  click: async (page, step) => page.click(step.selector),
  press: async (page, step) => page.keyboard.press(step.key),
  wait: async (page, step) => page.waitForURL(new RegExp(step.url)),
  see: async (page, step) => page.waitForSelector(step.selector),
  url: async (page) => page.url(),
  text: async (page) => page.innerText("body"),
  focus: async (page) => page.evaluate(() => document.activeElement.id || document.activeElement.className),
  overflow: async (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
  cookies: async (page) => (await page.context().cookies()).map((cookie) => cookie.name),
  forget: async (page, step) => page.context().clearCookies({ name: step.name }),
  shot: async (page, step) => page.screenshot({ path: step.path, fullPage: true }),
  axe: async (page) => {
    // The page's own policy forbids scripts; this one comes through the debugger, as an extension's would.
    await page.evaluate(readFileSync(axe, "utf8"));
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    return found.violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map((node) => node.html + " — " + node.failureSummary) }));
  },
};

(async () => {
  const visits = JSON.parse(readFileSync(0, "utf8"));
  const browser = await chromium.launch({
    executablePath: process.env.FEDGATE_CHROMIUM || "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const seen = [];
  try {
    for (const visit of visits) {
      const context = await browser.newContext({
        locale: visit.locale || "en-GB", colorScheme: visit.scheme || "light", ignoreHTTPSErrors: true,
        viewport: { width: visit.width || 1280, height: 900 }, reducedMotion: "reduce",
      });
      const page = await context.newPage();
      page.setDefaultTimeout(15000);
      const console_ = [];
      page.on("console", (message) => message.type() === "error" && console_.push(message.text()));
      const results = [];
      for (const step of visit.steps) {
        try {
          results.push({ ok: (await actions[step.do](page, step)) ?? null });
        } catch (error) {
          results.push({ error: `${step.do}: ${error.message}`, url: page.url(), text: await page.innerText("body").catch(() => "") });
          break;
        }
      }
      seen.push({ results, console: console_ });
      await context.close();
    }
  } finally {
    await browser.close();
  }
  process.stdout.write(JSON.stringify(seen));
})().catch((error) => { process.stderr.write(String(error.stack)); process.exit(1); });
