-- expect: policy_error: read-only
-- Replacing a policy for all.
rate_limit = function() return {} end
