Feature: The log
  JSON lines, one for each step in the life of a task, so that a task can be followed from its admission to its end by its correlation
  id. Each has a sentence in plain words for people.

  Background:
    Given the pool:
      | pool  | slots | first token | next tokens | tokens |
      | north | 1     | 1 s         | 1 s         | 3      |

  Scenario: A task that completes
    Given Ana has sent task "story"
    When 10 s pass
    And task "story" is completed
    Then the log tells "admission" of task "story" as "Task story accepted by pool north with 0 ahead."
    And the log tells "start" of task "story" as "Task story starts on north/r0."
    And the log tells "end" of task "story" as "Task story completed with 3 tokens."
    And its lines "admission, end" have the fields "queue_position, predicted_start_ms"
    And its lines "admission, start, end" have the fields "correlation_id, task_id, session_id, key_name, engine, engine_version, pool_id"
    And its lines "start, end" have the fields "replica_id"
    And its lines "end" have the fields "tokens_in, tokens_out, decode_time_ms"
    And key_name is "ana" in each of the lines "admission, start, end" of task "story"

  Scenario: It is followed by the correlation id of the request that sent it
    Given Ana sends task "story" under the correlation id "trace-7"
    When 10 s pass
    And task "story" is completed
    Then correlation_id is "trace-7" in each of the lines "admission, start, end" of task "story"

  Scenario: A task that is canceled
    Given Ana has sent task "story"
    When Ana cancels task "story"
    Then the log tells "cancel" of task "story" as "Task story was canceled."

  Scenario: A task that is refused
    When Ana sends task "homeless" with:
      | model_ref | mock:v2 |
    Then its lines "admission" have the fields "correlation_id, task_id, session_id, key_name, engine, code, event"

  Scenario: A task whose engine fails
    Given the pool:
      | pool  | slots | tokens | same text again | fault                       |
      | north | 1     | 4      | no              | kind: fail, after_tokens: 1 |
    And Ana has sent task "unlucky"
    And task "unlucky" is failed
    Then the log tells "error" of task "unlucky" as "Task unlucky failed: The engine failed while the task ran; send it again."
    And its lines "error" have the fields "code, err"
