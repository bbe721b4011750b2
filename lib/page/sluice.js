/* The dashboard's script: keeps the page true while it is looked at. All of the page works without it.
 *
 * On an event of the page's stream, at most once a second, the page is fetched again and its regions
 * (data-live, with an id) are changed where they differ, node by node, so that focus, open <details>, selection,
 * typed text and scroll stay as they are. Nothing is shown that the server has not written.
 */
"use strict";
(() => {
	const box = document.getElementById("live"), text = document.getElementById("live-state"), pause = document.getElementById("live-pause");
	const AGAIN_MS = 1000, POLL_MS = 10000, QUIET_MS = 2500;
	let source = null, due = 0, late = 0, busy = false, paused = false, last = 0, ended = false;

	/* "4 s ago", as lib/page/when.c says it. */
	const about = s => s >= 86400 ? Math.floor(s / 86400) + " d" : s >= 3600 ? Math.floor(s / 3600) + " h" :
		s >= 60 ? Math.floor(s / 60) + " min" : Math.floor(Math.max(s, 0)) + " s";
	let skew = 0;           /* the server's clock less ours */
	const ages = root => {
		for (const t of root.querySelectorAll("time.ago")) {
			const s = (Date.now() + skew - Date.parse(t.dateTime)) / 1000;
			const says = s < -1 ? "in " + about(-s) : about(s) + " ago";
			if (t.textContent !== says)
				t.textContent = says;
		}
	};
	const asOf = root => {
		const t = root.querySelector(".foot time");
		if (t)
			skew = Date.parse(t.dateTime) - Date.now();
		return t;
	};

	/* What a node is, beyond its place: a row's job, an element's id. */
	const key = n => n.nodeType === 1 ? n.getAttribute("data-key") || n.id || null : null;
	const like = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && key(a) === key(b);
	/* What people did to an element is theirs. */
	const theirs = (n, name) => (n.nodeName === "DETAILS" && name === "open") ||
		(name === "value" && (n.nodeName === "INPUT" || n.nodeName === "TEXTAREA"));

	const attributes = (now, then) => {
		for (const a of [...now.attributes])
			if (!then.hasAttribute(a.name) && !theirs(now, a.name))
				now.removeAttribute(a.name);
		for (const a of then.attributes)
			if (now.getAttribute(a.name) !== a.value && !theirs(now, a.name))
				now.setAttribute(a.name, a.value);
	};

	/* Makes now's children those of then. A node that stays is never moved, because moving takes its focus: what is
	   between is taken out or put in. */
	const morph = (now, then) => {
		if (now.nodeType === 3) {
			if (now.data !== then.data)
				now.data = then.data;
			return;
		}
		if (now.nodeType !== 1 || now.isEqualNode(then))
			return;
		attributes(now, then);
		if (now.nodeName === "TEXTAREA")
			return;
		let at = now.firstChild;
		for (const want of [...then.childNodes]) {
			/* What has no key is no reason to pass over what has one. */
			let found = at;
			while (found && !like(found, want) && (key(want) || !key(found)))
				found = found.nextSibling;
			if (!found || !like(found, want)) {
				now.insertBefore(document.importNode(want, true), at);
				continue;
			}
			while (at !== found) {
				const gone = at;
				at = at.nextSibling;
				gone.remove();
			}
			morph(found, want);
			at = found.nextSibling;
		}
		while (at) {
			const gone = at;
			at = at.nextSibling;
			gone.remove();
		}
	};

	const show = (page) => {
		const here = document.querySelectorAll("[data-live][id]");
		const was = document.activeElement, path = was && was.id;
		asOf(page);
		ages(page);
		for (const now of here) {
			const then = page.getElementById(now.id);
			if (then)
				morph(now, then);
		}
		if (was && !was.isConnected) {
			const again = (path && document.getElementById(path)) || document.getElementById("main");
			again.focus({ preventScroll: true });
		}
		const foot = document.querySelector(".foot"), newFoot = page.querySelector(".foot");
		if (foot && newFoot)
			morph(foot, newFoot);
	};

	const state = (says, kind) => {
		if (text.textContent !== says)
			text.textContent = says;
		box.classList.toggle("on", kind === "on");
		box.classList.toggle("off", kind === "off");
	};

	const end = (says, kind) => {
		ended = true;
		close();
		state(says, kind);
	};

	const refresh = async () => {
		due = 0;
		if (busy || paused || document.hidden)
			return;
		busy = true;
		last = Date.now();
		try {
			const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
			const page = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
			if (answer.redirected)
				end("Signed out", "off");
			else if (page && !paused)
				show(page);
			/* The page of a job that has ended has nothing live. */
			if (page && !answer.redirected && !page.getElementById("live"))
				end("Ended: nothing more to come", "");
		} catch {
			/* The stream's own errors say that the server is away. */
		}
		busy = false;
	};
	const soon = () => {
		if (!due && !paused && !document.hidden)
			due = setTimeout(refresh, Math.max(50, last + AGAIN_MS - Date.now()));
	};

	const close = () => {
		clearTimeout(late);
		late = 0;
		if (source)
			source.close();
		source = null;
	};
	const open = () => {
		if (source || paused || document.hidden || ended)
			return;
		source = new EventSource(box.dataset.events);
		source.onopen = () => {
			clearTimeout(late);
			late = 0;
			state("Live", "on");
			soon();
		};
		source.onerror = () => {
			if (source && source.readyState === EventSource.CLOSED) {
				/* Refused for now, or 204: the job has ended. The browser tries neither again and does not say which; the page does. */
				close();
				state("Reconnecting", "off");
				soon();
				setTimeout(open, 5000);
			} else if (!late) {
				late = setTimeout(() => state("Reconnecting", "off"), QUIET_MS);
			}
		};
		source.onmessage = soon;
		for (const name of ["started", "progress", "waiting", "retry", "completed", "failed", "cancelled"])
			source.addEventListener(name, soon);
	};

	/* After an action, what it did is read first and the keyboard goes on from there. */
	const said = document.getElementById("said");
	if (said && document.activeElement === document.body)
		said.focus({ preventScroll: true });

	asOf(document);
	ages(document);
	setInterval(() => { if (!document.hidden) ages(document); }, 1000);
	if (!box)
		return;
	box.hidden = false;
	state("Connecting", "");
	pause.addEventListener("click", () => {
		paused = !paused;
		pause.textContent = paused ? "Resume updates" : "Pause updates";
		if (paused) {
			close();
			clearTimeout(due);
			due = 0;
			state("Paused", "");
		} else {
			open();
			soon();
		}
	});
	document.addEventListener("visibilitychange", () => {
		if (document.hidden) {
			close();
		} else {
			open();
			soon();
		}
	});
	/* What no event tells of: beats, ages, results sent. */
	setInterval(() => { if (source && source.readyState === EventSource.OPEN) soon(); }, POLL_MS);
	open();
})();
