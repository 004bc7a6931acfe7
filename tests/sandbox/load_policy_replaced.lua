-- expect: policy_error: read-only
-- Replacing a policy for all.
-- SPDX-License-Identifier: Apache-2.0
rate_limit = function() return {} end
