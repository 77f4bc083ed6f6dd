"""The demo's own sample alliance: invented names, a seeded month that shows every rule."""

from api.demo.facts import Example, LiveSetting, Refusal, SampleFacts, SamplePack
from api.demo.sample import write_sample_packs

__all__ = ["Example", "LiveSetting", "Refusal", "SampleFacts", "SamplePack", "write_sample_packs"]
