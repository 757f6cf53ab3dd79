Feature: Health of a pool
  A pool's replicas are supervised: one that fails is taken down and started again, after a pause that grows with each failure. Clients
  see it, and are told when to come back.

  Scenario: A pool that is well
    Given the pool:
      | pool  | replicas | slots | first token |
      | north | 2        | 3     | 10 s        |
    And Ana has sent task "running"
    When Ana looks at the health of pool "north"
    Then it says:
      | live                      | true   |
      | ready                     | true   |
      | draining                  | false  |
      | last_error                | (none) |
      | metrics.slots             | 6      |
      | metrics.slots_busy        | 1      |
      | metrics.queue_depth       | 0      |
      | replicas.0.replica_id     | r0     |
      | replicas.0.state          | ready  |
      | replicas.0.engine_version | mock-1 |
      | replicas.1.replica_id     | r1     |
    And the daemon is ready

  Scenario: Its queue, by class
    Given the pool:
      | pool  | slots | first token |
      | north | 1     | 10 s        |
    And these tasks are accepted, one after the other:
      | task    | priority    |
      | running | interactive |
      | inter1  | interactive |
      | batch1  | batch       |
      | batch2  | batch       |
    When Ana looks at the health of pool "north"
    Then it says:
      | metrics.queue_depth        | 3 |
      | metrics.queued_interactive | 1 |
      | metrics.queued_batch       | 2 |
    When Ana lists the pools
    Then it says:
      | pools.0.pool_id     | north   |
      | pools.0.model_ref   | mock:v1 |
      | pools.0.slots_busy  | 1       |
      | pools.0.queue_depth | 3       |

  Scenario: A replica dies, is taken down and comes back
    Given the pool:
      | pool  | slots | next tokens | tokens | same text again | fault                                |
      | north | 1     | 1 s         | 4      | no              | kind: die, after_tokens: 2, every: 1 |
    And Ana has sent task "unlucky"
    When 1 s passes
    And Ana opens the stream of "unlucky"
    And 1 s passes
    Then the stream of "unlucky" ends with "error WORKER_RESET"
    And it says:
      | retriable | true |
    And the health of pool "north" says:
      | replicas.0.state      | down   |
      | replicas.0.last_error | /died/ |
    When 250 ms pass
    Then the health of pool "north" says:
      | replicas.0.state      | ready  |
      | replicas.0.restarts   | 1      |
      | replicas.0.last_error | /died/ |

  Scenario: While every replica is down, clients are told when to come back
    Given the pool:
      | pool  | slots | same text again | fault                                |
      | north | 1     | no              | kind: die, after_tokens: 1, every: 1 |
    And Ana has sent task "unlucky"
    And task "unlucky" is failed
    When Ana looks at the health of pool "north"
    Then it says:
      | live                     | false |
      | ready                    | false |
      | replicas.0.state         | down  |
      | replicas.0.restart_in_ms | 250   |
    And the daemon is unready
    When Ana sends task "next"
    Then the answer is 503 REPLICA_EXHAUSTED
    And it says:
      | retriable      | true    |
      | pool_id        | north   |
      | retry_after_ms | >= 1000 |
    And its header "Retry-After" is > 0
    When 250 ms pass
    Then the daemon is ready
    When Ana sends task "next"
    Then the answer is 202

  Scenario: With another replica that is up the pool goes on
    Given the pool:
      | pool  | replicas | slots | tokens | same text again | fault                                |
      | north | 2        | 1     | 4      | no              | kind: die, after_tokens: 2, every: 2 |
    And these tasks are accepted, one after the other:
      | task   |
      | first  |
    And task "first" is completed
    And Ana has sent task "second"
    And task "second" is failed
    When Ana sends task "third"
    Then the answer is 202
    And the health of pool "north" says:
      | ready         | true |
      | metrics.slots | 1    |

  Scenario: A failure before the first token is tried again without the client noticing
    Given the pool:
      | pool  | slots | tokens | fault                |
      | north | 1     | 3      | kind: fail, every: 2 |
    And Ana has sent task "first"
    And task "first" is completed
    When Ana has sent task "second"
    Then the stream of "second" has the events "started, token, token, token, metrics, end"
    When Ana reads the transcript of "second"
    Then it says:
      | content.attempts | 2 |

  Scenario: An engine that dies in the middle of a stream goes on where it stopped
    Given the pool:
      | pool  | slots | tokens | fault                                |
      | north | 1     | 4      | kind: die, after_tokens: 2, every: 2 |
    And Ana has sent task "first"
    And task "first" is completed
    When Ana has sent task "second"
    And Ana opens the stream of "second"
    And 250 ms pass
    Then the stream of "second" has the events "started, token, token, token, token, metrics, end"
    And the readers of "second" have, one after the other, each of its 4 tokens once

  Scenario: After three attempts the task is given up
    Given the pool:
      | pool  | slots | fault      |
      | north | 1     | kind: fail |
    And Ana has sent task "hopeless"
    Then the stream of "hopeless" ends with "error WORKER_RESET"
    When Ana reads the transcript of "hopeless"
    Then it says:
      | content.attempts | 3 |

  Scenario: All pools for a model are down
    Given the pools:
      | pool  | slots | same text again | fault                                |
      | north | 1     | no              | kind: die, after_tokens: 1, every: 1 |
      | south | 1     | no              | kind: die, after_tokens: 1, every: 1 |
    And these tasks are accepted, one after the other:
      | task | placement                         |
      | a    | { mode: pin, pin_pool_id: north } |
      | b    | { mode: pin, pin_pool_id: south } |
    And tasks "a" and "b" are failed
    When Ana sends task "next"
    Then the answer is 503 POOL_UNAVAILABLE
    And its header "X-Backoff-Ms" is >= 1000
