/* looks.js URL FOLDER NAME... - the made-up pages that serve.py serves, in both sizes and schemes: no finding of axe, nothing
 * that the policy refused, nothing wider than the window; a picture of each in FOLDER. */
"use strict";
const { SIZES, SCHEMES, launch, open, findings, overflow, ok, done } = require("./browser.js");

const [url, folder, ...names] = process.argv.slice(2);

(async () => {
	const { browser, end } = await launch();
	for (const name of names) {
		const wrong = [];
		for (const size of SIZES)
			for (const scheme of SCHEMES) {
				const { context, page, faults } = await open(browser, size, scheme);
				page.on("dialog", d => { faults.push("dialog: " + d.message()); d.dismiss(); });
				await page.goto(url + "/" + name);
				for (const d of await page.locator("details > summary").all())
					await d.click();
				for (const f of await findings(page))
					faults.push("axe: " + f);
				const wide = await overflow(page);
				if (wide > 0)
					faults.push("wider than the window by " + wide);
				if (folder !== "-")
					await page.screenshot({ path: `${folder}/${name}-${size.name}-${scheme}.png`, fullPage: true });
				wrong.push(...faults.map(f => `${size.name} ${scheme}: ${f}`));
				await context.close();
			}
		ok(!wrong.length, name, wrong.join("\n"));
	}
	await end();
	done();
})().catch(e => { console.log("Bail out! " + e.stack); process.exit(1); });
