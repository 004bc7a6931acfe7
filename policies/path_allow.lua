--- Only paths that one of the patterns matches: `*` within a segment, `**` across.
-- Narrows what the capability's own paths let through.
-- SPDX-License-Identifier: Apache-2.0
return policy "path_allow" {
  about  = "Only these paths",
  params = { paths = list() },
  check = function(req, p)
    for _, pattern in ipairs(p.paths) do
      if match.glob(req.path, pattern) then
        return allow()
      end
    end
    return deny("this path is not on the list", { reason = "path_not_allowed" })
  end,
}
