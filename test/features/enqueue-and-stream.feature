Feature: Enqueue a task and stream its tokens
  A client posts a task and gets a 202 as soon as the task is on disk. From then on any number of readers may follow its stream:
  `started`, then tokens with `metrics` between them, then exactly one `end` or `error`.

  Background:
    Given the pool:
      | pool  | slots | first token | next tokens | tokens |
      | north | 1     | 100 ms      | 10 ms       | 3      |

  Scenario: The 202 says where the task stands
    When Ana sends task "hello"
    Then the answer is 202
    And it says:
      | task_id            | hello |
      | pool_id            | north |
      | queue_position     | 0     |
      | predicted_start_ms | 0     |
      | backoff_ms         | 0     |
      | accepted_at        | /Z$/  |
    And its header "Location" is "/v1/tasks/hello"

  Scenario: The stream tells the task from its acceptance to its end
    Given Ana has sent task "hello"
    When Ana opens the stream of "hello"
    And 1 s passes
    Then the stream of "hello" has the events "started, token, token, token, metrics, end"
    And the end event of "hello" says:
      | tokens_out     | 3      |
      | queue_ms       | 0      |
      | first_token_ms | 100    |
      | decode_ms      | 20     |
      | finish_reason  | stop   |
      | replica_id     | r0     |
      | artifact_id    | (some) |

  Scenario: A task does not wait for readers, and each of them gets everything
    Given Ana has sent task "hello"
    When Ana opens the stream of "hello"
    And 105 ms passes
    And Ana opens the stream of "hello"
    And 1 s passes
    And Ana opens the stream of "hello"
    Then the stream of "hello" ends with "end"
    And all 3 readers of "hello" have the same frames

  Scenario: The state of a task can be asked for at any time
    Given Ana has sent tasks "first" and "second"
    Then task "first" is running
    And task "second" is queued
    When Ana looks at task "second"
    Then it says:
      | queue_position     | 0      |
      | predicted_start_ms | > 0    |
      | started_at         | (none) |
    When 1 s passes
    Then tasks "first" and "second" are completed

  Scenario: The same seed gives the same text
    When Ana sends task "one" with:
      | seed | 7 |
    And Ana sends task "other" with:
      | seed | 7 |
    And Ana sends task "unlike" with:
      | seed | 8 |
    And 1 s passes
    Then the texts of "one" and "other" are equal
    And the texts of "one" and "unlike" are different

  Scenario: Generation ends at max_tokens
    When Ana sends task "short" with:
      | max_tokens | 2 |
    And 1 s passes
    Then the end event of "short" says:
      | tokens_out    | 2      |
      | finish_reason | length |

  Scenario: A conversation is a task, too
    When Ana sends task "talk" with:
      | prompt   | (left out)                                                                   |
      | messages | [{ role: system, content: Be brief. }, { role: user, content: How are you? }] |
    Then the answer is 202
    When 1 s passes
    Then the stream of "talk" ends with "end"

  Scenario: A request that is sent twice makes one task
    Given Ana has sent task "hello"
    When Ana sends the same task "hello" again
    Then the answer is 202
    And both answers for "hello" are the same
    And the metrics show:
      | series               | value |
      | tasks_enqueued_total | 1     |

  Scenario: An embedding ends with a result instead of tokens
    When Ana sends task "vectors" with:
      | workload | embedding            |
      | prompt   | (left out)           |
      | inputs   | [a river, a bridge]  |
    And 1 s passes
    Then the stream of "vectors" has the events "started, metrics, end"
    When Ana reads the result of "vectors"
    Then it says:
      | content.vectors.0.0 | <= 1   |
      | content.vectors.1.0 | <= 1   |
      | content.vectors.2   | (none) |

  Scenario: A reranking scores each document
    When Ana sends task "ranks" with:
      | workload | rerank                            |
      | prompt   | silver river                      |
      | inputs   | [the silver river, an old bridge] |
    And 1 s passes
    Then the stream of "ranks" has the events "started, metrics, end"
    When Ana reads the result of "ranks"
    Then it says:
      | content.scores | [1, 0] |

  Scenario: A finished task replays until its retention ends
    Given the configuration has:
      """
      retention: { tasks_ms: 600000 }
      """
    And Ana has sent task "hello"
    When 1 min passes
    Then the stream of "hello" has the events "started, token, token, token, metrics, end"
    When 15 min passes
    And Ana looks at task "hello"
    Then the answer is 404 NOT_FOUND
