--- A rate_limit that fails in the way that the request's path names (test_fault_script.py).
-- SPDX-License-Identifier: Apache-2.0
local function forever()
  while true do end
end

local ways = {
  ["/loop"] = forever,
  ["/loop-in-sort"] = function()
    table.sort({ 1, 2, 3 }, forever)
  end,
  ["/pattern"] = function()
    local text, pattern = "a", ""
    for _ = 1, 16 do text = text .. text end
    for _ = 1, 80 do pattern = pattern .. "*a" end
    while true do match.glob(text, pattern .. "b") end
  end,
  ["/memory"] = function()
    local all = {}
    for i = 1, 1000000000 do all[i] = { i } end
  end,
  ["/doubling"] = function()
    local text = "0123456789abcdef"
    while true do text = text .. text end
  end,
  ["/much"] = function()
    local all = {}
    all[1] = "0123456789abcdef"
    for i = 2, 20 do all[i] = all[i - 1] .. all[i - 1] end -- 16 MiB together
    return allow()
  end,
  ["/recursion"] = function()
    local function deeper(n) return 1 + deeper(n + 1) end
    return deeper(1)
  end,
  ["/error"] = function()
    error("this script is at its end")
  end,
  ["/nil"] = function(req)
    return allow { max_request_bytes = req.nothing.of_the_kind }
  end,
  ["/nothing"] = function() end,
  ["/forged"] = function()
    return { kind = "allow" }
  end,
  ["/authorization"] = function()
    return allow { set_headers = { authorization = "Bearer mine" } }
  end,
  ["/smuggled"] = function()
    return allow { set_headers = { ["transfer-encoding"] = "chunked" } }
  end,
  ["/line-break"] = function()
    return allow { set_headers = { accept = "a\r\nauthorization: Bearer mine" } }
  end,
  ["/charges"] = function()
    for i = 1, 100 do counter.take("key " .. i, 5, 60) end
    return allow()
  end,
}

return policy "rate_limit" {
  about  = "Fails as told",
  params = {
    per_minute = int { min = 0 },
    per = one_of { "capability", "agent", default = "capability" },
  },
  check = function(req, p)
    local way = ways[req.path]
    if way then return way(req, p) end
    return allow()
  end,
}
