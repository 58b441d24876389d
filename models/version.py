"""The version of the application, written into every change and every export."""

APP_VERSION = "0.1.0"
