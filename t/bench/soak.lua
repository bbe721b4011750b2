-- Requests for t/bench/api.py's soak, by wrk: of 100, 50 ask for a job, 43 are /healthz,
-- one submits, the others are what fails or takes longer. Arguments: token, name of the jobs.
local token, name, n

function init(args)
	token, name, n = args[1], args[2], 0
	wrk.headers["Authorization"] = "Bearer " .. token
end

local function submit(i)
	return wrk.format("POST", "/v1/jobs", { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" },
		string.format('{"job_id":"%s-%d","text":"x","pipeline":"load"}', name, i))
end

function request()
	local k = n % 1000
	n = n + 1
	if k % 100 == 7 then return submit(n) end
	if k % 100 == 17 then return wrk.format("GET", "/v1/jobs/none-" .. n) end
	if k % 100 == 27 then return wrk.format("GET", "/v1/jobs/one-0/history") end
	if k % 100 == 37 then return wrk.format("GET", "/v1/jobs?limit=3", { ["Authorization"] = "Bearer " .. token, ["Accept-Encoding"] = "gzip" }) end
	if k % 100 == 47 then return wrk.format("GET", "/v1/jobs/one-0", { ["Authorization"] = "Bearer slc_" .. n }) end
	if k % 100 == 57 then return wrk.format("GET", "/v1/jobs?limit=" .. -n) end
	if k % 100 == 67 then return wrk.format("GET", "/v1/jobs/" .. name .. "-" .. (n - 60) .. "/events") end
	if k % 2 == 0 then return wrk.format("GET", "/v1/jobs/one-0") end
	return wrk.format("GET", "/healthz")
end
