--- Largest request and response, in bytes.
-- What is not known before the transfer is counted while it streams.
-- SPDX-License-Identifier: Apache-2.0
return policy "size_limit" {
  about  = "Largest request and response body",
  params = {
    max_request_bytes = int { optional = true },
    max_response_bytes = int { optional = true },
  },
  check = function(req, p)
    local size, most = req.body_size, p.max_request_bytes
    if most and size and size > most then
      return deny("a body of " .. size .. " bytes is over the limit of " .. most, {
        reason = "size_limit",
        remedy = "send less, or raise the limit with `aivault capability policy set`",
      })
    end
    return allow {
      max_request_bytes = most,
      max_response_bytes = p.max_response_bytes,
    }
  end,
}
