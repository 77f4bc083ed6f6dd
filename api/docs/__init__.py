"""The reference that people read: the OpenAPI document as pages, in Chinese and English, without scripts."""
