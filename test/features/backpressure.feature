Feature: Backpressure when the queue is full
  A queue has a capacity, and each pool a policy for who comes when it is full. `reject` refuses the newcomer; `drop-lru` lets it in and
  displaces the oldest waiting task of the same or a lower priority, of the newcomer's own key first. Either way the client learns from
  the real load when to come back.

  Rule: With the policy reject the newcomer is refused

    Background:
      Given the pool:
        | pool  | slots | queue | when full | first token |
        | north | 1     | 2     | reject    | 10 s        |
      And these tasks are accepted, one after the other:
        | task     | priority |
        | running  | batch    |
        | waiting1 | batch    |
        | waiting2 | batch    |

    Scenario: The refusal says when a place is expected
      When Ana sends task "newcomer"
      Then the answer is 429 ADMISSION_REJECT
      And it says:
        | policy_label   | reject |
        | pool_id        | north  |
        | engine         | mock   |
        | retriable      | true   |
        | retry_after_ms | > 0    |
      And its header "Retry-After" is > 0
      And its header "X-Backoff-Ms" is > 0
      And the metrics show:
        | series                              | labels                  | value |
        | admission_backpressure_events_total | policy=reject           | 1     |
        | tasks_rejected_total                | reason=ADMISSION_REJECT | 1     |

    Scenario: Who waits is not touched, not even for higher priority
      When Ana sends task "newcomer" with:
        | priority | interactive |
      Then the answer is 429 ADMISSION_REJECT
      And tasks "waiting1" and "waiting2" are queued

    Scenario: When a place is free the same request is accepted
      Given Ana sends task "newcomer"
      And the answer is 429
      When 10 s pass
      And Ana sends task "newcomer"
      Then the answer is 202

  Rule: With the policy drop-lru the newcomer takes the oldest place

    Background:
      Given the pool:
        | pool  | slots | queue | when full | first token |
        | north | 1     | 2     | drop-lru  | 10 s        |

    Scenario: The oldest waiting task makes room and its readers are told
      Given Ana has sent tasks "running", "oldest" and "younger"
      And Ana opens the stream of "oldest"
      When Ana sends task "newcomer"
      Then the answer is 202
      And the stream of "oldest" ends with "error QUEUE_FULL_DROP_LRU"
      And it says:
        | retriable      | true |
        | retry_after_ms | > 0  |
      And task "oldest" is failed
      And tasks "younger" and "newcomer" are queued
      And the metrics show:
        | series                              | labels           | value |
        | admission_backpressure_events_total | policy=drop-lru  | 1     |
        | tasks_canceled_total                | reason=displaced | 1     |

    Scenario: A key displaces its own work before that of others
      Given these tasks are accepted, one after the other:
        | task    | by  |
        | running | Ana |
        | bens    | Ben |
        | anas    | Ana |
      When Ana sends task "newcomer"
      Then the answer is 202
      And task "anas" is failed
      And task "bens" is queued

    Scenario: Batch work goes before interactive work
      Given these tasks are accepted, one after the other:
        | task    | priority    |
        | running | interactive |
        | inter   | interactive |
        | batch   | batch       |
      When Ana sends task "newcomer"
      Then the answer is 202
      And task "batch" is failed
      And task "inter" is queued

    Scenario: Nothing of a higher priority is displaced, and nothing that runs
      Given Ana has sent tasks "running", "inter1" and "inter2"
      When Ana sends task "newcomer" with:
        | priority | batch |
      Then the answer is 429 QUEUE_FULL_DROP_LRU
      And it says:
        | policy_label   | drop-lru |
        | retriable      | true     |
        | retry_after_ms | > 0      |
      And task "running" is running
      And tasks "inter1" and "inter2" are queued
