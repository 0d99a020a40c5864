"""What a provider's response says was used, in the classes of the contract's `Usage`.

Providers count differently, and every one of these differences has been billed wrongly by someone:

- OpenAI and whoever speaks its format, and Gemini, count cached tokens inside the prompt, Anthropic
  and Bedrock beside it;
- OpenAI counts reasoning inside the completion, Gemini and xAI beside it;
- audio, image and video tokens are inside the prompt and the completion everywhere.

Here every token is in exactly one class, and the classes add up to what the provider bills.

A body is untrusted. A count that is no whole number from 0 to 50,000,000 makes the whole body
unusable, `UsageFormatError`: a caller without a usage estimates one, which is better than to bill a
wrong one. A part that exceeds its whole is cut to it and flagged, so that no class is negative. A
body that is not there, or says nothing, is None and never zeros.
"""
