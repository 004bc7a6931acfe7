--- The words that scripts are written in. Runs once in every sandbox, before any script.
-- Returns the names that scripts see, and what the judge itself calls. Everything here only builds
-- and checks plain tables: the judge turns them into a manifest (src/policy/script_manifest.c) and
-- the keeper validates that again.
-- SPDX-License-Identifier: Apache-2.0

local core = ...
local fail = core.fail

-- What is wrong with a value ----------------------------------------------------------------------

local function need_text(what, value)
  if type(value) ~= "string" or value == "" then
    fail(what .. " must be a text that is not empty")
  end
  return value
end

local function need_table(what, value)
  if type(value) ~= "table" then
    fail(what .. " must be a table, not a " .. type(value))
  end
  return value
end

local function need_list(what, value)
  need_table(what, value)
  local n = 0
  for key in pairs(value) do
    if type(key) ~= "number" then
      fail(what .. " must be a list; '" .. tostring(key) .. "' does not belong there")
    end
    n = n + 1
  end
  if n ~= #value then
    fail(what .. " must be a list without holes")
  end
  for i, item in ipairs(value) do
    need_text(what .. "[" .. i .. "]", item)
  end
  return value
end

local function need_map(what, value)
  need_table(what, value)
  for key, item in pairs(value) do
    need_text("a name in " .. what, key)
    need_text(what .. "." .. key, item)
  end
  return value
end

--- Refuses every key that is not in `allowed`; list entries only where `allowed.list` is set.
local function only_keys(what, value, allowed)
  need_table(what, value)
  for key in pairs(value) do
    if type(key) == "number" then
      if not allowed.list then
        fail(what .. ": a list entry does not belong there")
      end
    elseif not allowed.keys[key] then
      fail(what .. ": unknown key '" .. tostring(key) .. "'")
    end
  end
  return value
end

local function need_kind(what, value, kind)
  if type(value) ~= "table" or value.kind ~= kind then
    fail(what .. " must be made by " .. kind)
  end
  return value
end

local function optional(check, what, value, fallback)
  if value == nil then
    return fallback
  end
  return check(what, value)
end

-- Auth: descriptions, no secret is near -----------------------------------------------------------

local auth = {}

local function auth_of(type_name, pairs_of)
  return { kind = "auth", type = type_name, pairs = pairs_of }
end

local function named_templates(what, map)
  local list, names = {}, {}
  for name in pairs(need_map(what, map)) do
    table.insert(names, name)
  end
  table.sort(names)
  for _, name in ipairs(names) do
    table.insert(list, { name, map[name] })
  end
  return list
end

function auth.header(name, template)
  return auth_of("header", {
    { need_text("auth.header: the name", name), need_text("auth.header: the template", template) },
  })
end

function auth.query(param)
  return auth_of("query", { { need_text("auth.query: the parameter", param), "" } })
end

function auth.path(template)
  return auth_of("path", { { "", need_text("auth.path: the template", template) } })
end

function auth.basic(options)
  options = only_keys("auth.basic", options or {}, { keys = { username = true } })
  if options.username == nil then
    return auth_of("basic", {})
  end
  return auth_of("basic", { { "username", need_text("auth.basic: username", options.username) } })
end

function auth.multi_header(map)
  return auth_of("multi-header", named_templates("auth.multi_header", map))
end

function auth.multi_query(map)
  return auth_of("multi-query", named_templates("auth.multi_query", map))
end

function auth.oauth2(options)
  only_keys("auth.oauth2", options,
    { keys = { grant = true, token_endpoint = true, scopes = true } })
  local scopes = optional(need_list, "auth.oauth2: scopes", options.scopes, {})
  return auth_of("oauth2", {
    { "grant", need_text("auth.oauth2: grant", options.grant) },
    { "token_endpoint", need_text("auth.oauth2: token_endpoint", options.token_endpoint) },
    { "scopes", table.concat(scopes, " ") },
  })
end

function auth.aws_sigv4(options)
  only_keys("auth.aws_sigv4", options, { keys = { service = true, region = true } })
  return auth_of("aws-sigv4", {
    { "service", need_text("auth.aws_sigv4: service", options.service) },
    { "region", need_text("auth.aws_sigv4: region", options.region) },
  })
end

function auth.hmac(options)
  only_keys("auth.hmac", options, { keys = { algorithm = true, header = true, template = true } })
  return auth_of("hmac", {
    { "algorithm", need_text("auth.hmac: algorithm", options.algorithm) },
    { "header", need_text("auth.hmac: header", options.header) },
    { "template", need_text("auth.hmac: template", options.template) },
  })
end

function auth.mtls()
  return auth_of("mtls", {})
end

function auth.none()
  return auth_of("none", {})
end

-- Policies and their parameters -------------------------------------------------------------------

local function int(options)
  only_keys("int", options or {},
    { keys = { min = true, max = true, default = true, optional = true } })
  options = options or {}
  return { kind = "param", type = "int", min = options.min or 0,
    max = options.max or math.maxinteger, default = options.default, optional = options.optional }
end

local function one_of(options)
  only_keys("one_of", options, { list = true, keys = { default = true, optional = true } })
  local words = {}
  for i, word in ipairs(options) do
    words[need_text("one_of[" .. i .. "]", word)] = true
  end
  return { kind = "param", type = "one_of", words = words, default = options.default,
    optional = options.optional }
end

local function plain_param(type_name)
  return function(options)
    options = only_keys(type_name, options or {}, { keys = { default = true, optional = true } })
    return { kind = "param", type = type_name, default = options.default,
      optional = options.optional }
  end
end

local param_check = {}

function param_check.int(what, value, spec)
  if math.type(value) ~= "integer" then
    fail(what .. " must be a whole number")
  elseif value < spec.min or value > spec.max then
    fail(what .. " must be " .. spec.min .. " to " .. spec.max)
  end
  return value
end

function param_check.one_of(what, value, spec)
  if type(value) ~= "string" or not spec.words[value] then
    fail(what .. " must be one of the words that the policy lists")
  end
  return value
end

function param_check.list(what, value)
  return need_list(what, value)
end

function param_check.map(what, value)
  return need_map(what, value)
end

local policy_keys = { keys = { about = true, params = true, check = true } }

local function policy(name)
  local line = core.line()
  need_text("policy: the name", name)
  return function(record)
    core.line(line)
    only_keys("policy " .. name, record, policy_keys)
    if type(record.check) ~= "function" then
      fail("policy " .. name .. ": check must be a function")
    end
    local params = optional(need_table, "policy " .. name .. ": params", record.params, {})
    for key, spec in pairs(params) do
      need_text("policy " .. name .. ": the name of a parameter", key)
      need_kind("policy " .. name .. ": " .. key, spec, "param")
    end
    return { kind = "policy", name = name, about = record.about, params = params,
      check = record.check }
  end
end

--- A policy with parameters: what stands in `policies = { ... }`.
local function instance(record, given)
  local what = record.name
  need_table(what .. ": the parameters", given)
  for key in pairs(given) do
    if record.params[key] == nil then
      fail(what .. ": unknown parameter '" .. tostring(key) .. "'")
    end
  end
  local values = {}
  for key, spec in pairs(record.params) do
    local value = given[key]
    if value == nil then
      value = spec.default
    end
    if value ~= nil then
      values[key] = param_check[spec.type](what .. ": " .. key, value, spec)
    elseif not spec.optional then
      fail(what .. ": parameter '" .. key .. "' is missing")
    end
  end
  return { kind = "instance", name = what, check = record.check, params = values }
end

-- Providers ---------------------------------------------------------------------------------------

local capability_keys = { keys = {
  about = true, methods = true, paths = true, hosts = true, inspect = true, opaque_slash = true,
  policies = true, check = true, http = true,
} }

local function capability(name)
  need_text("capability: the name", name)
  local what = "capability " .. name
  return function(record)
    only_keys(what, record, capability_keys)
    optional(need_text, what .. ": about", record.about)
    need_list(what .. ": methods", record.methods)
    need_list(what .. ": paths", record.paths)
    optional(need_list, what .. ": hosts", record.hosts)
    local inspect = record.inspect or "none"
    if inspect ~= "none" and inspect ~= "json" and inspect ~= "text" then
      fail(what .. ": inspect must be \"none\", \"json\" or \"text\"")
    end
    if record.opaque_slash ~= nil and type(record.opaque_slash) ~= "boolean" then
      fail(what .. ": opaque_slash must be true or false")
    end
    local http = record.http or 1
    if http ~= 1 and http ~= 2 then
      fail(what .. ": http must be 1 or 2")
    end
    for i, entry in ipairs(optional(need_table, what .. ": policies", record.policies, {})) do
      need_kind(what .. ": policies[" .. i .. "]", entry, "instance")
    end
    if record.check ~= nil and type(record.check) ~= "function" then
      fail(what .. ": check must be a function")
    end
    return { kind = "capability", name = name, line = core.line(), about = record.about or "",
      methods = record.methods, paths = record.paths, hosts = record.hosts, inspect = inspect,
      opaque_slash = record.opaque_slash or false, http = http, policies = record.policies or {},
      check = record.check }
  end
end

local alternative_keys = { keys = {
  secrets = true, auth = true, hosts = true, capabilities = true, priority = true,
  path_prefix = true,
} }

local function alternative(name)
  need_text("alternative: the name", name)
  local what = "alternative " .. name
  return function(record)
    only_keys(what, record, alternative_keys)
    need_map(what .. ": secrets", record.secrets)
    need_kind(what .. ": auth", record.auth, "auth")
    need_list(what .. ": hosts", record.hosts)
    optional(need_list, what .. ": capabilities", record.capabilities)
    local priority = record.priority or 0
    if math.type(priority) ~= "integer" or priority < 0 or priority > 1000000 then
      fail(what .. ": priority must be a whole number, 0 to 1000000")
    end
    return { kind = "alternative", name = name, line = core.line(), secrets = record.secrets,
      auth = record.auth, hosts = record.hosts, capabilities = record.capabilities or {},
      priority = priority,
      path_prefix = optional(need_text, what .. ": path_prefix", record.path_prefix, "") }
  end
end

local provider_keys = { list = true, keys = { secrets = true, auth = true, hosts = true } }

local function provider(name)
  local line = core.line()
  need_text("provider: the name", name)
  local what = "provider " .. name
  return function(record)
    core.line(line)
    only_keys(what, record, provider_keys)
    need_map(what .. ": secrets", record.secrets)
    need_kind(what .. ": auth", record.auth, "auth")
    need_list(what .. ": hosts", record.hosts)
    local capabilities, alternatives = {}, {}
    for i, entry in ipairs(record) do
      if type(entry) == "table" and entry.kind == "capability" then
        table.insert(capabilities, entry)
      elseif type(entry) == "table" and entry.kind == "alternative" then
        table.insert(alternatives, entry)
      else
        fail(what .. ": entry " .. i .. " is neither a capability nor an alternative")
      end
    end
    return { kind = "provider", name = name, line = line, secrets = record.secrets,
      auth = record.auth, hosts = record.hosts, capabilities = capabilities,
      alternatives = alternatives }
  end
end

local names = {
  alternative = alternative,
  auth = auth,
  capability = capability,
  int = int,
  list = plain_param("list"),
  map = plain_param("map"),
  one_of = one_of,
  policy = policy,
  provider = provider,
}

return names, instance
