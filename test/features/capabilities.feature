Feature: Capabilities
  Before it sends anything a client can ask what there is: per pool the engine and its version, the model, the limits, the workloads and
  what the engine can do.

  Scenario: Each pool says what it offers
    Given the pools:
      | pool  | model   | replicas | slots | ctx  | queue | when full |
      | north | mock:v1 | 2        | 3     | 4096 | 16    | reject    |
      | south | mock:v2 | 1        | 1     | 8192 | 32    | drop-lru  |
    When Ana asks what can be asked
    Then the answer is 200
    And it says:
      | api_version                       | 1.0.0                                     |
      | engines.0.pool_id                 | north                                     |
      | engines.0.engine                  | mock                                      |
      | engines.0.engine_version          | mock-1                                    |
      | engines.0.model_ref               | mock:v1                                   |
      | engines.0.ctx_max                 | 4096                                      |
      | engines.0.max_tokens_out          | 4095                                      |
      | engines.0.slots                   | 6                                         |
      | engines.0.supported_workloads     | [completion, embedding, rerank]           |
      | engines.0.rate_limits             | { queue_capacity: 16, full_policy: reject } |
      | engines.0.features                | [replayable, chat_template, system_messages, stop_sequences, tools, json_object, json_schema, images, audio, logprobs, reasoning, penalties, logit_bias, prefill, continues, token_inputs] |
      | engines.1.pool_id                 | south                                     |
      | engines.1.rate_limits.full_policy | drop-lru                                  |
      | engines.2                         | (none)                                    |

  Scenario: What it offers is what it takes
    Given the pool:
      | pool  | ctx |
      | north | 64  |
    When Ana sends task "fits" with:
      | prompt     | Once upon a time |
      | ctx        | 64               |
      | max_tokens | 60               |
    Then the answer is 202
    When Ana sends task "too-long" with:
      | prompt     | Once upon a time |
      | ctx        | 64               |
      | max_tokens | 61               |
    Then the answer is 400 INVALID_PARAMS
    And its message names "ctx"
