/* shots.js URL FOLDER JOBS, $token in the environment - the dashboard of a real server in Chromium, as people use it: signing in, every page in both
 * sizes and schemes by axe, without script, by keyboard, live, its actions. A picture of each page goes into FOLDER.
 * JOBS is a JSON object with ids of jobs in the ledger: completed, failed, failed2, waiting, waiting2, queued, queued2, queued3,
 * queued4, dead, dead2, numbers of dead letters, all, a token for all tenants, and search, true where there is something that searches. Jobs of the pipeline "held" stay queued. Where the file FOLDER/restart.want is made, the caller starts the server
 * again and makes restart.done. */
"use strict";
const fs = require("fs");
const { SIZES, SCHEMES, launch, open, findings, overflow, ok, done } = require("./browser.js");

const [url, folder, ids] = process.argv.slice(2);
const { token } = process.env;
const jobs = JSON.parse(ids);
const desk = SIZES[1], phone = SIZES[0];
/* A test waits for what it waits for; a machine that does ten other things takes long. */
const WAIT_MS = 30000;

/* One part: what is thrown in it is its failure. */
const part = async (what, run) => {
	try {
		const wrong = await run();
		ok(!wrong || !wrong.length, what, wrong && wrong.join("\n"));
	} catch (e) {
		ok(false, what, e.stack);
	}
};
const api = async (method, path, body, type = "application/json") => {
	const r = await fetch(url + path, { method, body: body && (type ? JSON.stringify(body) : body),
		headers: { Authorization: "Bearer " + token, ...(body ? { "Content-Type": type } : {}) } });
	if (!r.ok)
		throw new Error(`${method} ${path}: ${r.status} ${await r.text()}`);
	return r.json();
};
const submit = (id, pipeline) => api("POST", "/v1/jobs", { job_id: id, pipeline, text: "of " + id });

let state;              /* the cookie, once somebody has signed in */
const signed = (browser, size, scheme, more) => open(browser, size, scheme, { storageState: state, ...more });

const signIn = async browser => {
	const { context, page, faults } = await open(browser, desk, "light");
	await part("without a token: the door", async () => {
		await page.goto(url + "/");
		await page.waitForURL(/\/ui\/sign-in/, { timeout: WAIT_MS });
		return findings(page);
	});
	await part("a token that nobody made is refused, in words", async () => {
		await page.getByLabel("Your token").fill("slc_" + "A".repeat(43));
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.getByRole("alert").waitFor({ timeout: WAIT_MS });
		return (await findings(page)).concat(faults.filter(f => !/401/.test(f)));
	});
	faults.length = 0;
	await part("the right one, by keyboard alone", async () => {
		await page.goto(url + "/ui/sign-in");
		for (let i = 0; i < 20 && await page.evaluate(() => document.activeElement.id) !== "token"; i++)
			await page.keyboard.press("Tab");
		await page.keyboard.type(token);
		await page.keyboard.press("Enter");
		await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor({ timeout: WAIT_MS });
		const cookie = (await context.cookies()).find(c => c.name === "sluice");
		return faults.concat(cookie && cookie.httpOnly && cookie.sameSite === "Strict" ? [] : ["the cookie is " + JSON.stringify(cookie)]);
	});
	state = await context.storageState();
	await context.close();
};

const pages = () => ({
	"overview": "/", "jobs": "/ui/jobs", "jobs-failed": "/ui/jobs?status=failed&limit=1", "job-completed": "/ui/jobs/" + jobs.completed,
	"job-failed": "/ui/jobs/" + jobs.failed, "job-waiting": "/ui/jobs/" + jobs.waiting, "job-queued": "/ui/jobs/" + jobs.queued,
	"dead": "/ui/dead", "letter": "/ui/dead/" + jobs.dead, "workers": "/ui/workers", "pipelines": "/ui/pipelines",
	"search": "/ui/search", "stage": "/ui/jobs/" + jobs.completed + "?stage=demo", "find": "/ui/job?job_id=x%20y", "nothing": "/ui/jobs/no-such-job",
});

/* What is wrong with the page that is there, and its picture. */
const lookAt = async (page, answer, faults, file) => {
	const wrong = [], csp = answer.headers()["content-security-policy"] || "";
	if (!/default-src 'none'/.test(csp) || /unsafe/.test(csp))
		wrong.push("policy: " + csp);
	await page.evaluate(() => { for (const d of document.querySelectorAll("details")) d.open = true; });
	for (const f of await findings(page))
		wrong.push("axe: " + f);
	if (await overflow(page) > 0)
		wrong.push("wider than the window by " + await overflow(page));
	await page.screenshot({ path: file, fullPage: true });
	return wrong.concat(faults.splice(0));
};

const look = async browser => {
	const wrong = Object.fromEntries(Object.keys(pages()).map(name => [name, []]));
	for (const size of SIZES)
		for (const scheme of SCHEMES) {
			const { context, page, faults } = await signed(browser, size, scheme);
			for (const [name, path] of Object.entries(pages()))
				try {
					const all = await lookAt(page, await page.goto(url + path), faults, `${folder}/${name}-${size.name}-${scheme}.png`);
					wrong[name].push(...all.filter(f => !/^(nothing|find)$/.test(name) || !/40[04]/.test(f)).map(f => `${size.name} ${scheme}: ${f}`));
				} catch (e) {
					wrong[name].push(e.stack);
				}
			await context.close();
		}
	for (const name in wrong)
		ok(!wrong[name].length, "page " + name, wrong[name].join("\n"));
};

const keyboard = async browser => {
	const { context, page, faults } = await signed(browser, desk, "light");
	await part("the first stop of the keyboard skips to the content", async () => {
		await page.goto(url + "/ui/jobs");
		await page.keyboard.press("Tab");
		const first = await page.evaluate(() => document.activeElement.textContent);
		await page.keyboard.press("Enter");
		await page.waitForFunction(() => document.activeElement.id === "main" || location.hash === "#main", null, { timeout: WAIT_MS });
		return first === "Skip to content" ? [] : ["it was " + first];
	});
	await part("every stop is seen, in the order of the page", async () => {
		const wrong = [];
		await page.goto(url + "/ui/jobs");
		let last = -1;
		for (let i = 0; i < 25; i++) {
			await page.keyboard.press("Tab");
			const stop = await page.evaluate(() => {
				const e = document.activeElement, s = getComputedStyle(e), all = [...document.querySelectorAll("*")];
				return { at: all.indexOf(e), says: e.nodeName + " " + e.textContent.slice(0, 30), body: e === document.body,
					seen: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2, named: !!(e.textContent.trim() || e.labels && e.labels.length || e.getAttribute("aria-label")) };
			});
			if (stop.body)
				break;
			if (!stop.seen || !stop.named || stop.at <= last)
				wrong.push(JSON.stringify(stop));
			last = stop.at;
		}
		return wrong.concat(faults);
	});
	await context.close();
};

const noScript = async browser => {
	const { context, page } = await signed(browser, phone, "light", { javaScriptEnabled: false });
	await part("without script: the tables, filters and pages of the list", async () => {
		const wrong = [];
		await page.goto(url + "/ui/jobs");
		if (await page.locator("#live").isVisible())
			wrong.push("says that it is live");
		await page.getByLabel("Status").selectOption("failed");
		await page.getByRole("button", { name: "Filter" }).click();
		await page.waitForURL(/status=failed/, { timeout: WAIT_MS });
		if (!await page.getByRole("link", { name: jobs.failed, exact: true }).isVisible())
			wrong.push("the failed job is not listed");
		if (await page.getByRole("link", { name: jobs.completed, exact: true }).count())
			wrong.push("the completed one is");
		await page.goto(url + "/ui/jobs?limit=1");
		const first = await page.locator("tbody a.id").first().textContent();
		await page.getByRole("link", { name: "Next page" }).click();
		await page.getByRole("link", { name: "First page" }).waitFor({ timeout: WAIT_MS });
		if (await page.locator("tbody a.id").first().textContent() === first)
			wrong.push("the next page is the first one");
		return wrong;
	});
	await part("without script: to a job by its id, and what is none", async () => {
		await page.goto(url + "/ui/jobs");
		await page.getByLabel("Job id").fill(" " + jobs.failed + " ");
		await page.getByRole("button", { name: "Go to job" }).click();
		await page.waitForURL(url + "/ui/jobs/" + jobs.failed, { timeout: WAIT_MS });
		await page.goto(url + "/ui/jobs");
		await page.getByLabel("Job id").fill("nowhere");
		await page.keyboard.press("Enter");
		await page.getByRole("alert").filter({ hasText: "There is no job nowhere of tenant default." }).waitFor({ timeout: WAIT_MS });
	});
	await part("without script: the logs of one stage", async () => {
		await page.goto(url + "/ui/jobs/" + jobs.completed);
		await page.getByRole("navigation", { name: "Logs by stage" }).getByRole("link", { name: "demo" }).click();
		await page.waitForURL(/stage=demo/, { timeout: WAIT_MS });
		const said = await page.locator("#attempts pre").allTextContents();
		return said.join("") === "demo: <b>1</b>\n" ? [] : ["it is " + JSON.stringify(said)];
	});
	await part("without script: a job is cancelled", async () => {
		await page.goto(url + "/ui/jobs/" + jobs.queued2);
		await page.getByRole("button", { name: "Cancel the job" }).click();
		await page.getByText("The job is cancelled.").waitFor({ timeout: WAIT_MS });
		const is = (await api("GET", "/v1/jobs/" + jobs.queued2)).status;
		return is === "cancelled" ? [] : ["it is " + is];
	});
	await context.close();
};

/* What must be the same after an update: where people were. */
const mark = page => page.evaluate(() => {
	window.stayed = true;
	document.querySelector("#rate details, #progress, details")?.setAttribute("open", "");
});

const live = async browser => {
	const { context, page, faults } = await signed(browser, desk, "dark");
	const is = says => page.locator("#live-state", { hasText: says }).waitFor({ timeout: WAIT_MS });
	const row = id => page.getByRole("link", { name: id, exact: true });
	await part("live: a new job comes into the list, and nothing that people did is lost", async () => {
		await page.goto(url + "/ui/jobs");
		await is("Live");
		await mark(page);
		await page.getByLabel("Document key").fill("half typ");
		await page.evaluate(() => scrollTo(0, 40));
		const scroll = await page.evaluate(() => scrollY);
		await submit("live-1", "held");
		await row("live-1").waitFor({ timeout: WAIT_MS });
		const now = await page.evaluate(() => ({ stayed: window.stayed, focus: document.activeElement.name, value: document.activeElement.value, y: scrollY }));
		return now.stayed && now.focus === "doc_key" && now.value === "half typ" && now.y === scroll ? [] : [JSON.stringify(now)];
	});
	await part("live: the focus on a job stays on it when another comes", async () => {
		await row("live-1").focus();
		await submit("live-2", "held");
		await row("live-2").waitFor({ timeout: WAIT_MS });
		const focus = await page.evaluate(() => document.activeElement.textContent);
		return focus === "live-1" ? [] : ["it is on " + focus];
	});
	await part("paused: nothing moves, and then it does", async () => {
		await page.getByRole("button", { name: "Pause updates" }).click();
		await is("Paused");
		await submit("live-3", "held");
		await page.waitForTimeout(2500);
		const early = await row("live-3").count();
		await page.getByRole("button", { name: "Resume updates" }).click();
		await row("live-3").waitFor({ timeout: WAIT_MS });
		return early ? ["it came while paused"] : [];
	});
	await part("the server starts again: said, and live once more", async () => {
		fs.writeFileSync(folder + "/restart.want", "");
		await is("Reconnecting");
		for (let i = 0; i < 600 && !fs.existsSync(folder + "/restart.done"); i++)
			await page.waitForTimeout(100);
		await is("Live");
		await submit("live-4", "held");
		await row("live-4").waitFor({ timeout: WAIT_MS });
		return await page.evaluate(() => window.stayed) ? [] : ["the page was loaded anew"];
	});
	faults.splice(0, faults.length, ...faults.filter(f => !/ERR_|Failed to load|EventSource/.test(f)));
	await part("live: the gate of a job opens, it completes, the stream ends", async () => {
		await page.goto(url + "/ui/jobs/" + jobs.waiting2);
		await is("Live");
		await mark(page);
		await api("POST", `/v1/jobs/${jobs.waiting2}/open`);
		await page.locator("#facts .state", { hasText: "completed" }).waitFor({ timeout: WAIT_MS });
		await is("Ended");
		return await page.evaluate(() => window.stayed) ? faults : ["the page was loaded anew"];
	});
	await part("a stream that is refused for a while is no job that has ended", async () => {
		await page.route("**/events", r => r.fulfill({ status: 503 }));
		await page.goto(url + "/ui/jobs/" + jobs.queued);
		await is("Reconnecting");
		await page.unroute("**/events");
		await is("Live");
		return faults.splice(0).filter(f => !/503/.test(f));
	});
	await part("live: what was opened stays open", async () => {
		await page.goto(url + "/");
		await is("Live");
		const numbers = page.locator("details > summary").first();
		if (!await numbers.count())
			return ["no plot is there"];
		await numbers.click();
		const was = await page.locator("#now").innerText();
		await submit("live-5", "held");
		await page.waitForFunction(t => document.getElementById("now").innerText !== t, was, { timeout: WAIT_MS });
		return await page.locator("details[open]").count() ? faults : ["it is closed"];
	});
	await context.close();
};

const act = async browser => {
	const { context, page, faults } = await signed(browser, phone, "dark");
	const click = async (path, button, says) => {
		await page.goto(url + path);
		await page.getByRole("button", { name: button }).click();
		await page.getByText(says).waitFor({ timeout: WAIT_MS });
		return faults.splice(0);
	};
	if (jobs.search)
		await part("search: by keyboard, answered", async () => {
			await page.goto(url + "/ui/search");
			await page.getByLabel("What are you looking for?").fill("gold & <b>glitter</b>");
			await page.keyboard.press("Enter");
			await page.getByText(/Nothing was found\.|The best one\.|The \d+ best, the best first\./).waitFor({ timeout: WAIT_MS });
			return faults.splice(0).concat(await findings(page));
		});
	await part("cancel, with a reason", async () => {
		await page.goto(url + "/ui/jobs/" + jobs.queued3);
		await page.getByLabel("Reason for cancelling").fill("<b>not & needed</b>");
		await page.getByRole("button", { name: "Cancel the job" }).click();
		await page.getByText("The job is cancelled.").waitFor({ timeout: WAIT_MS });
		return (await page.getByText("<b>not & needed</b>").count()) ? faults : ["the reason is not there"];
	});
	await part("open a gate", () => click("/ui/jobs/" + jobs.waiting, "Open gate", "The gate is open: the job goes on."));
	await part("run again", () => click("/ui/jobs/" + jobs.failed2, "Run again", "The job is queued for another run."));
	await part("feed a dead letter as it came", () => click("/ui/dead/" + jobs.dead, "Feed it again as it came", "The letter was fed again."));
	await part("mend one, and feed it", async () => {
		await page.goto(url + "/ui/dead/" + jobs.dead2);
		await page.getByText("Mend it first").click();
		const box = page.getByLabel("The request, as it shall run");
		await box.fill((await box.inputValue()).replace(/"text":\s*""/, '"text":"mended"'));
		await page.getByRole("button", { name: "Feed the mended request" }).click();
		await page.getByText("The letter was fed again.").waitFor({ timeout: WAIT_MS });
		return faults;
	});
	await part("sign out", async () => {
		await page.goto(url + "/");
		await page.getByRole("button", { name: "Sign out" }).click();
		await page.getByText("You are signed out.").waitFor({ timeout: WAIT_MS });
		return (await context.cookies()).some(c => c.name === "sluice" && c.value) ? ["the cookie is still there"] : faults;
	});
	await context.close();
};

/* Somebody who sees all tenants: each address says which. */
const operator = async browser => {
	const { context, page, faults } = await open(browser, desk, "light");
	await part("all tenants: their workers, a job by its link, cancelled", async () => {
		await page.goto(url + "/ui/sign-in?next=" + encodeURIComponent("/ui/jobs?limit=500"));
		await page.getByLabel("Your token").fill(jobs.all);
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.getByRole("link", { name: jobs.queued4, exact: true }).click();
		await page.waitForURL(/tenant=default/, { timeout: WAIT_MS });
		await page.getByRole("button", { name: "Cancel the job" }).click();
		await page.getByText("The job is cancelled.").waitFor({ timeout: WAIT_MS });
		await page.goto(url + "/ui/workers");
		if (!await page.getByRole("columnheader", { name: "Processed" }).count())
			faults.push("what workers did is not there");
		for (const name of ["workers", "overview", "jobs", "pipelines"]) {
			await page.goto(url + pages()[name]);
			faults.push(...await findings(page));
			await page.screenshot({ path: `${folder}/all-${name}.png`, fullPage: true });
		}
		return faults;
	});
	await context.close();
};

(async () => {
	const { browser, end } = await launch();
	await signIn(browser);
	await look(browser);
	await keyboard(browser);
	await noScript(browser);
	await live(browser);
	await act(browser);
	await operator(browser);
	await end();
	done();
})().catch(e => { console.log("Bail out! " + e.stack); process.exit(1); });
