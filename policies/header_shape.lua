--- Sets and drops request headers.
-- Auth-class and reserved names are refused by the judge itself.
-- SPDX-License-Identifier: Apache-2.0
return policy "header_shape" {
  about  = "Set and drop request headers",
  params = {
    set = map { optional = true },
    drop = list { optional = true },
  },
  check = function(_, p)
    return allow { set_headers = p.set, drop_headers = p.drop }
  end,
}
