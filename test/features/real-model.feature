Feature: A real model
  The demonstration model is a small one that llama.cpp runs on the CPU, in a child process of the daemon. Everything the other features
  say of the mock engine holds for it.

  Scenario: It tells a story, and the same one for the same seed
    Given the pool "tales" with the demonstration model
    When Ana sends task "fox" with:
      | seed       | 7                                                        |
      | max_tokens | 40                                                       |
      | prompt     | (left out)                                               |
      | messages   | [{ role: user, content: Tell me a story about a fox. }]  |
    Then the answer is 202
    And it says:
      | pool_id | tales |
    When Ana sends task "fox-again" with:
      | seed       | 7                                                        |
      | max_tokens | 40                                                       |
      | prompt     | (left out)                                               |
      | messages   | [{ role: user, content: Tell me a story about a fox. }]  |
    Then the stream of "fox" ends with "end"
    And it says:
      | tokens_in     | > 5    |
      | tokens_out    | > 5    |
      | finish_reason | /stop\|length/ |
      | replica_id    | r0     |
    And the text of "fox" matches /^[A-Z][a-z]+ .* /
    And the texts of "fox" and "fox-again" are equal
    When Ana looks at the health of pool "tales"
    Then it says:
      | replicas.0.model_digest | d9455cd88e099a18219ec2186ccce99c3db89885d95b27bcb38a68b9151f1e88 |
    When Ana asks what can be asked
    Then it says:
      | engines.0.engine              | llamacpp                     |
      | engines.0.engine_version      | /^llama.cpp-/                |
      | engines.0.model_ref           | file:models/tinytales.gguf   |
      | engines.0.ctx_max             | 256                          |
      | engines.0.supported_workloads | [completion]                 |

  Scenario: It is reloaded, and stays where the new file is broken
    Given the pool "tales" with the demonstration model
    And a models directory with "tinytales.gguf" and a copy of it cut in half, "torn.gguf"
    When the operator reloads pool "tales" with "file:models/torn.gguf"
    Then the answer is 409 CONFLICT
    And the health of pool "tales" says:
      | ready      | true        |
      | last_error | /torn.gguf/ |
    When Ana sends task "still-here" with:
      | max_tokens | 5 |
    Then the answer is 202
    And the stream of "still-here" ends with "end"
    When the operator reloads pool "tales" with "file:tinytales.gguf"
    Then the answer is 202
    And it says:
      | model_ref | file:tinytales.gguf |
    When Ana sends task "reloaded" with:
      | model_ref  | file:tinytales.gguf |
      | max_tokens | 5                   |
    Then the answer is 202
    And the stream of "reloaded" ends with "end"

  Scenario: A file outside of the models directory is not touched
    Given the pool "tales" with the demonstration model
    When the operator reloads pool "tales" with "file:../package.json"
    Then the answer is 400 INVALID_PARAMS
    And its message names "models_dir"
