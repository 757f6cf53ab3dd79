Feature: Metrics
  `/metrics` shows the series of the metrics contract and no others, with the labels it declares. A series that nothing has fed has no
  samples, never a made-up zero.

  Scenario: The life of a task in counters
    Given the pool:
      | pool  | slots | first token | next tokens | tokens |
      | north | 1     | 120 ms      | 100 ms      | 6      |
    And Ana has sent tasks "a" and "b"
    When 10 s pass
    And tasks "a" and "b" are completed
    Then the metrics show:
      | series                        | labels                                                                             | value |
      | tasks_enqueued_total          | engine=mock engine_version=mock-1 pool_id=north replica_id=none priority=interactive | 2     |
      | tasks_started_total           | engine=mock engine_version=mock-1 pool_id=north replica_id=r0 priority=interactive | 2     |
      | tokens_in_total               | pool_id=north replica_id=r0                                                        | 8     |
      | tokens_out_total              | pool_id=north replica_id=r0                                                        | 12    |
      | placement_decisions_total     | outcome=assigned pinned=false fallback=false                                       | 2     |
      | placement_candidates_considered |                                                                                  | 1     |
      | latency_first_token_ms_count  | pool_id=north priority=interactive                                                 | 2     |
      | latency_first_token_ms_bucket | pool_id=north le=100                                                               | 0     |
      | latency_first_token_ms_bucket | pool_id=north le=150                                                               | 1     |
      | latency_decode_ms_bucket      | pool_id=north le=250                                                               | 0     |
      | latency_decode_ms_bucket      | pool_id=north le=500                                                               | 2     |
      | tasks_canceled_total          |                                                                                    | (none) |
      | tasks_rejected_total          |                                                                                    | (none) |
    And every series is declared, with its labels

  Scenario: The depth of the queue by class
    Given the pool:
      | pool  | slots | first token |
      | north | 1     | 10 s        |
    When these tasks are accepted, one after the other:
      | task    | priority    |
      | running | interactive |
      | inter1  | interactive |
      | batch1  | batch       |
      | batch2  | batch       |
    Then the metrics show:
      | series      | labels                             | value |
      | queue_depth | pool_id=north priority=interactive | 1     |
      | queue_depth | pool_id=north priority=batch       | 2     |
    When 1 min passes
    Then the metrics show:
      | series      | labels        | value |
      | queue_depth | pool_id=north | 0     |

  Scenario Outline: A task that ends early is counted with its reason: <reason>
    Given the pool:
      | pool  | slots | first token | queue | when full |
      | north | 1     | 10 s        | 1     | drop-lru  |
    And Ana has sent tasks "running" and "waiting"
    When <what happens>
    And 1 s passes
    And task "waiting" is <state>
    Then the metrics show:
      | series               | labels                                        | value |
      | tasks_canceled_total | pool_id=north replica_id=none reason=<reason> | 1     |
    And every series is declared, with its labels

    Examples:
      | reason    | what happens                                | state    |
      | client    | Ana cancels task "waiting"                  | canceled |
      | displaced | Ana sends task "newcomer"                   | failed   |
      | drain     | the operator drains pool "north" within 1 s | failed   |

  Scenario: A refusal is counted with its code
    When Ana sends task "homeless" with:
      | model_ref | mock:v2 |
    Then the metrics show:
      | series               | labels                       | value |
      | tasks_rejected_total | engine=mock reason=NOT_FOUND | 1     |
    And every series is declared, with its labels

  Scenario: Before anything has happened
    Given the pool:
      | pool  | slots |
      | north | 1     |
    Then every declared series has its HELP and TYPE
    And the metrics show:
      | series               | labels                                           | value  |
      | model_state          | model_id=mock:v1 state=loaded                    | 1      |
      | model_state          | model_id=mock:v1 state=unloaded                  | 0      |
      | queue_depth          | engine_version=mock-1 pool_id=north priority=batch | 0      |
      | tasks_enqueued_total |                                                  | (none) |
      | kv_cache_usage_ratio |                                                  | (none) |
      | gpu_utilization      |                                                  | (none) |
