--- Stripe's API, to read only: none of these capabilities moves money.
-- SPDX-License-Identifier: Apache-2.0

return provider "stripe" {
  secrets = { STRIPE_API_KEY = "secret" },
  auth    = auth.header("authorization", "Bearer {{secret}}"),
  hosts   = { "api.stripe.com" },

  capability "billing" {
    about   = "Read invoices, prices, products and subscriptions",
    methods = { "GET" },
    paths   = { "/v1/invoices", "/v1/prices", "/v1/products", "/v1/subscriptions" },
  },

  capability "customers" {
    about   = "Read customers and what belongs to them",
    methods = { "GET" },
    paths   = { "/v1/customers" },
  },

  capability "disputes" {
    about   = "Read disputes and payouts",
    methods = { "GET" },
    paths   = { "/v1/disputes", "/v1/payouts" },
  },

  capability "payments" {
    about   = "Read balance transactions, charges, payment intents and refunds",
    methods = { "GET" },
    paths   = { "/v1/balance_transactions", "/v1/charges", "/v1/payment_intents", "/v1/refunds" },
  },
}
