-- SPDX-License-Identifier: Apache-2.0
-- The sandbox's vocabulary (docs/POLICY-API.md) is all that a script may name.
local vocabulary = {
  -- C library
  match = { fields = { "glob", "prefix", "host" } },
  text = { fields = { "find", "lower", "upper", "split", "trim" } },
  json = { fields = { "decode" } },
  counter = { fields = { "take", "add", "get" } },
  time = { fields = { "parts" } },
  -- Lua's, as far as it is left
  string = { fields = { "byte", "char", "format", "len", "lower", "upper", "sub" } },
  table = { fields = { "concat", "insert", "remove", "sort", "unpack" } },
  math = { other_fields = true },
  ipairs = {}, pairs = {}, next = {}, select = {}, tonumber = {}, tostring = {}, type = {},
  error = {}, assert = {},
  -- provider and policy vocabulary (lua/)
  provider = {}, capability = {}, alternative = {}, policy = {}, auth = { other_fields = true },
  allow = {}, deny = {}, case = {},
  int = {}, one_of = {}, list = {}, map = {},
  local_http = {}, private_https = {},
  -- policies/
  path_allow = {}, method_allow = {}, rate_limit = {}, size_limit = {}, header_shape = {},
  query_allow = {}, json_rule = {}, time_window = {}, budget = {}, caller_allow = {},
}
stds.aivault = { read_globals = vocabulary }
std = "aivault"
max_line_length = 100
unused_args = false
files["lua/"] = { allow_defined = true, std = "aivault" }
-- The prelude defines that vocabulary, so it may set it and reach what it is made from.
files["lua/**/*.lua"] = { std = "lua54", ignore = { "111", "112", "113", "121", "122", "131", "142", "143" } }
files["tests/sandbox/**/*.lua"] = { ignore = { ".*" } }
