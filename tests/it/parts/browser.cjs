// Walks a real Chromium through visits read from stdin (JSON) and prints what each step saw (JSON).
// A visit has its own context: { locale, scheme, width, steps: [{ do, … }] }.
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const part = createRequire(process.env.FEDGATE_BROWSER_PART + "/");
const { chromium } = part("playwright-core");
const axe = part.resolve("axe-core/axe.min.js");

// The page's own policy forbids scripts; this one comes through the debugger, as an extension's would.
const violations = async (page) => {
  await page.evaluate(readFileSync(axe, "utf8"));
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map((node) => node.html + " — " + node.failureSummary) }));
};
// Chromium drops keys while a new page takes over from the one before.
const settled = async (page) => {
  const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await page.waitForLoadState("load");
  // A page that leaves meanwhile takes the question along: then it is asked of the next one.
  await page.evaluate(drawn).catch(() => page.waitForLoadState("load").then(() => page.evaluate(drawn)));
};
const written = (page) => page.evaluate(() => document.activeElement.value ?? null);
// By keys alone. A person sees what arrives in the field, and types again what did not.
const type = async (page, step) => {
  await settled(page);
  for (let left = 5; left > 0; left--) {
    const before = await written(page);
    await page.keyboard.type(step.text);
    if (before === null || (await written(page)) === before + step.text) return;
    await page.keyboard.press("Control+A");
    await page.keyboard.press("Delete");
  }
};
const lastSent = (page, field) => page.sent_.findLast((body) => body.has(field))?.get(field) ?? null;

const actions = {
  goto: async (page, step) => {
    const answer = await page.goto(step.url);
    return answer ? { status: answer.status(), headers: answer.headers() } : {};
  },
  fill: async (page, step) => page.fill(step.selector, step.value),
  click: async (page, step) => page.click(step.selector),
  press: async (page, step) => {
    await settled(page);
    await page.keyboard.press(step.key);
  },
  type,
  wait: async (page, step) => page.waitForURL(new RegExp(step.url)),
  see: async (page, step) => page.waitForSelector(step.selector),
  url: async (page) => page.url(),
  text: async (page) => page.innerText("body"),
  // The browser focuses a moment after the page can be seen.
  focus: async (page) => {
    await page.waitForFunction(() => document.activeElement !== document.body);
    return page.evaluate(() => document.activeElement.id || document.activeElement.className);
  },
  overflow: async (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
  cookies: async (page) => (await page.context().cookies()).map((cookie) => cookie.name),
  cookie: async (page, step) => (await page.context().cookies()).find((cookie) => cookie.name === step.name)?.value ?? null,
  forget: async (page, step) => page.context().clearCookies({ name: step.name }),
  shot: async (page, step) => page.screenshot({ path: step.path, fullPage: true }),
  // The last value of a field that a form has sent since the visit began.
  sent: async (page, step) => lastSent(page, step.field),
  // A request beside the page, for which "{token}" stands for a value that a form has sent: what a dashboard does with it.
  call: async (page, step) => {
    const filled = (text) => text && text.replace("{token}", lastSent(page, "token"));
    const headers = Object.fromEntries(Object.entries(step.headers || {}).map(([name, value]) => [name, filled(value)]));
    const answer = await page.request.fetch(step.url, { method: step.method || "GET", headers, data: filled(step.body), maxRedirects: 0 });
    return { status: answer.status(), headers: answer.headers() };
  },
  axe: async (page) => violations(page),
  // The same page in light and in dark.
  schemes: async (page) => {
    const found = [];
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      found.push(...(await violations(page)).map((violation) => ({ colorScheme, ...violation })));
    }
    return found;
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
        locale: visit.locale || "en-GB", colorScheme: visit.scheme || "light",
        // With a CA of its own (see browser.rs) a certificate that does not hold ends the visit.
        ignoreHTTPSErrors: !process.env.FEDGATE_BROWSER_STRICT,
        viewport: { width: visit.width || 1280, height: 900 }, reducedMotion: "reduce",
      });
      const page = await context.newPage();
      // A limit and no measure: a machine that does much else at the time is slow.
      page.setDefaultTimeout(60000);
      page.sent_ = [];
      page.on("request", (request) => request.method() === "POST" && page.sent_.push(new URLSearchParams(request.postData() || "")));
      const console_ = [];
      page.on("console", (message) => message.type() === "error" && console_.push(message.text()));
      const requests = [];
      page.on("request", (request) => requests.push(request.url()));
      const results = [];
      for (const step of visit.steps) {
        try {
          results.push({ as: step.as, ok: (await actions[step.do](page, step)) ?? null });
        } catch (error) {
          results.push({ error: `${step.do}: ${error.message}`, url: page.url(), text: await page.innerText("body").catch(() => "") });
          break;
        }
      }
      seen.push({ results, console: console_, requests });
      await context.close();
    }
  } finally {
    await browser.close();
  }
  process.stdout.write(JSON.stringify(seen));
})().catch((error) => { process.stderr.write(String(error.stack)); process.exit(1); });
