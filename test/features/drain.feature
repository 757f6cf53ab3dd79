Feature: Drain a pool
  Before maintenance the operator lets a pool run empty. New tasks are refused at once, running ones finish, queued ones move to another
  pool that serves the same model or are worked off here, and what is left at the deadline ends with an error that says to try again.

  Rule: With no other pool for the model

    Background:
      Given the pool:
        | pool  | slots | first token |
        | north | 1     | 10 s        |
      And Ana has sent tasks "running" and "waiting"

    Scenario: New tasks are refused, accepted ones are worked off
      When the operator drains pool "north" within 1 min
      Then the answer is 202
      And it says:
        | pool_id     | north |
        | draining    | true  |
        | ready       | false |
        | slots_busy  | 1     |
        | queue_depth | 1     |
      When Ana sends task "late"
      Then the answer is 503 POOL_UNREADY
      And its header "Retry-After" is > 0
      And it says:
        | retriable | true |
      When 30 s pass
      Then tasks "running" and "waiting" are completed

    Scenario: What is left at the deadline is ended
      Given Ana opens the stream of "running"
      And Ana opens the stream of "waiting"
      When the operator drains pool "north" within 5 s
      And 5 s pass
      Then the stream of "running" ends with "error POOL_UNREADY"
      And it says:
        | retriable | true |
      And the stream of "waiting" ends with "error POOL_UNREADY"
      And the metrics show:
        | series               | labels       | value |
        | tasks_canceled_total | reason=drain | 2     |

    Scenario: The pool takes tasks again
      Given the operator drains pool "north" within 5 s
      When the operator resumes pool "north"
      Then the answer is 202
      And it says:
        | draining | false |
        | ready    | true  |
      When Ana sends task "late"
      Then the answer is 202
      When 1 min passes
      Then tasks "running", "waiting" and "late" are completed

    Scenario: Draining again sets the deadline anew
      Given the operator drains pool "north" within 5 s
      When the operator drains pool "north" within 1 min
      And 30 s pass
      Then tasks "running" and "waiting" are completed

  Rule: With another pool for the model

    Background:
      Given the pools:
        | pool  | slots | first token | queue |
        | north | 1     | 10 s        | 4     |
        | south | 1     | 10 s        | 4     |
      And these tasks are accepted, one after the other:
        | task    | placement                             |
        | running | { mode: pin, pin_pool_id: north }     |
        | pinned  | { mode: pin, pin_pool_id: north }     |
        | free    | { mode: prefer, prefer_pools: [north] } |

    Scenario: Queued tasks move, unless they are pinned
      When the operator drains pool "north" within 1 min
      Then it says:
        | queue_depth | 1 |
      And task "free" is running
      And task "pinned" is queued
      When Ana looks at task "free"
      Then it says:
        | pool_id | south |
      When 1 min passes
      Then tasks "running", "pinned" and "free" are completed

    Scenario: New tasks go to the other pool
      Given the operator drains pool "north" within 1 min
      When Ana sends task "late"
      Then the answer is 202
      And it says:
        | pool_id | south |

  Rule: Who may, and what

    Scenario: The pool has to exist
      When the operator drains pool "nowhere" within 1 min
      Then the answer is 404 NOT_FOUND

    Scenario: It takes the role control
      When Ana drains pool "mock" within 1 min
      Then the answer is 403 FORBIDDEN
