/* browser.js - Chromium for the tests of the dashboard: sizes, schemes, what goes wrong in a page, axe.
 * playwright-core and axe-core come from NODE_PATH. */
"use strict";
const fs = require("fs"), os = require("os"), path = require("path");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const SIZES = [{ name: "phone", width: 360, height: 780 }, { name: "desk", width: 1280, height: 900 }];
const SCHEMES = ["light", "dark"];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync"];

/* Plain lines of TAP. */
let n = 0, bad = 0;
const ok = (pass, what, detail) => {
	n++;
	if (!pass)
		bad++;
	console.log(`${pass ? "" : "not "}ok ${n} - ${what}`);
	if (!pass && detail)
		console.log(String(detail).split("\n").slice(0, 40).map(l => "# " + l).join("\n"));
};
const done = () => {
	console.log(`1..${n}`);
	process.exitCode = bad ? 1 : 0;
};

const launch = async () => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sluice-ui-"));
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true,
		args: FLAGS, env: { ...process.env, HOME: folder } });
	return { browser, end: async () => { await browser.close(); fs.rmSync(folder, { recursive: true, force: true }); } };
};

/* A page whose faults are kept: console errors (the policy's violations are among them), exceptions, requests elsewhere. */
const open = async (browser, size, scheme, more = {}) => {
	const context = await browser.newContext({ viewport: { width: size.width, height: size.height }, colorScheme: scheme,
		deviceScaleFactor: 1, bypassCSP: false, ...more });
	const page = await context.newPage(), faults = [];
	page.on("console", m => { if (m.type() === "error" || m.type() === "warning") faults.push("console: " + m.text()); });
	page.on("pageerror", e => faults.push("exception: " + e.message));
	page.on("request", r => { if (!/^(http:\/\/(127\.0\.0\.1|localhost)|data:)/.test(r.url())) faults.push("request: " + r.url()); });
	return { context, page, faults };
};

/* axe with every rule that it has on by default, and the best practices. It is run in a world of its own, where the
 * page's policy does not stop it and it does not loosen the page's. */
const findings = async page => {
	const session = await page.context().newCDPSession(page);
	const { frameTree } = await session.send("Page.getFrameTree");
	const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
	await session.send("Runtime.evaluate", { contextId, expression: axe + ";0" });
	const run = await session.send("Runtime.evaluate", { contextId, awaitPromise: true, returnByValue: true,
		expression: "axe.run(document, { resultTypes: ['violations'] }).then(r => r.violations.map(v => v.id + ': ' + v.help + '\\n  ' + v.nodes.map(n => n.target.join(' ') + ' ' + (n.any[0] || n.all[0] || n.none[0] || {}).message).join('\\n  ')))" });
	await session.detach();
	if (run.exceptionDetails)
		return ["axe did not run: " + JSON.stringify(run.exceptionDetails.exception || run.exceptionDetails.text)];
	return run.result.value;
};

/* How much wider than the window the page is. */
const overflow = page => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

module.exports = { SIZES, SCHEMES, launch, open, findings, overflow, ok, done };
