--- Telegram's Bot API. The token is part of the path, and agents never name that part.
-- SPDX-License-Identifier: Apache-2.0

return provider "telegram" {
  secrets = { TELEGRAM_BOT_TOKEN = "secret" },
  auth    = auth.path("/bot{{secret}}"),
  hosts   = { "api.telegram.org" },

  capability "delete-message" {
    about   = "Delete one message",
    methods = { "POST" },
    paths   = { "/deleteMessage" },
  },

  capability "edit-message-text" {
    about   = "Change the text of a message",
    methods = { "POST" },
    paths   = { "/editMessageText" },
  },

  capability "get-me" {
    about   = "What the bot is called and may do",
    methods = { "POST" },
    paths   = { "/getMe" },
  },

  capability "get-updates" {
    about   = "Fetch what the bot has received",
    methods = { "POST" },
    paths   = { "/getUpdates" },
  },

  capability "send-chat-action" {
    about   = "Show that the bot is typing or uploading",
    methods = { "POST" },
    paths   = { "/sendChatAction" },
  },

  capability "send-message" {
    about   = "Send a text message",
    methods = { "POST" },
    paths   = { "/sendMessage" },
  },
}
