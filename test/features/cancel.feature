Feature: Cancel a task
  The 204 is sent when the cancel is on disk and every reader stands on its terminal frame. No token is written to anybody after that,
  the engine is told to stop, and its slot is free for the next task.

  Rule: After the 204 nothing follows

    Background:
      Given the pool:
        | pool  | slots | first token | next tokens | tokens |
        | north | 1     | 1 s         | 1 s         | 8      |
      And Ana has sent tasks "running" and "waiting"

    Scenario: One that waits never starts
      Given Ana opens the stream of "waiting"
      When Ana cancels task "waiting"
      Then the answer is 204
      And task "waiting" is canceled
      And the stream of "waiting" has the events "started, metrics, error"
      And the error event of "waiting" says:
        | code      | CANCELED |
        | retriable | false    |
      When 1 min passes
      And Ana looks at task "waiting"
      Then it says:
        | started_at | (none) |
      And the metrics show:
        | series               | labels        | value |
        | tasks_started_total  |               | 1     |
        | tasks_canceled_total | reason=client | 1     |

    Scenario: In the middle of its stream, not one token follows
      Given Ana opens the stream of "running"
      And 3 s pass
      And Ana has read 3 tokens of "running"
      When Ana cancels task "running"
      Then the answer is 204
      When 10 s pass
      Then the last thing written to the stream of "running" is its terminal event, and that before the 204
      And the stream of "running" ends with "error CANCELED"
      And task "running" is canceled

    Scenario: Its slot goes to the next task
      When Ana cancels task "running"
      Then task "waiting" is running
      When 1 min passes
      Then task "waiting" is completed

    Scenario: Who comes later finds no token in the stream, only in the transcript
      Given 3 s pass
      And Ana cancels task "running"
      When Ana opens the stream of "running"
      Then the stream of "running" has the events "started, metrics, error"
      When Ana reads the transcript of "running"
      Then it says:
        | content.tokens_out | 3 |

    Scenario: What has finished stays as it is
      Given 1 min passes
      And task "running" is completed
      When Ana cancels task "running"
      Then the answer is 204
      And task "running" is completed
      And the stream of "running" ends with "end"

    Scenario: Twice is like once
      Given Ana cancels task "running"
      When Ana cancels task "running"
      Then the answer is 204
      And the metrics show:
        | series               | labels        | value |
        | tasks_canceled_total | reason=client | 1     |

    Scenario: An unknown task cannot be canceled
      When Ana cancels task "nobody-knows"
      Then the answer is 404 NOT_FOUND

  Rule: An engine that does not stop is taken down

    Scenario: The abort is not confirmed in time
      Given the pool:
        | pool  | slots | fault                       |
        | north | 1     | kind: deaf, after_tokens: 1 |
      And Ana has sent task "stubborn"
      And Ana opens the stream of "stubborn"
      And Ana has read 1 token of "stubborn"
      When Ana cancels task "stubborn"
      Then the answer is 204
      And the health of pool "north" says:
        | replicas.0.state      | ready |
        | replicas.0.slots_busy | 1     |
      When 5 s pass
      Then the health of pool "north" says:
        | replicas.0.state      | /down\|starting/ |
        | last_error            | /abort/         |
        | replicas.0.slots_busy | 0               |
