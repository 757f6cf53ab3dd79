Feature: The taxonomy of errors
  Every error has the same envelope: a `code` for programs, a message for people that says what is wrong and what to do, whether trying
  again may help, and the correlation id under which the log has it. This page has what any request may meet; what belongs to one topic is
  with that topic: UNAUTHENTICATED and FORBIDDEN in security, ADMISSION_REJECT and QUEUE_FULL_DROP_LRU in backpressure, BUDGET_EXHAUSTED
  in sessions and budgets, DEADLINE_UNMET and DECODE_TIMEOUT in deadlines, POOL_UNREADY in drain, POOL_UNAVAILABLE, REPLICA_EXHAUSTED
  and WORKER_RESET in pool-health, MODEL_DEPRECATED in model-lifecycle, UNTRUSTED_ARTIFACT in trust, CANCELED in cancel.

  Rule: What is against the contract is refused with the name of the field

    Scenario Outline: A task with <field> <value>
      When Ana sends task "odd" with:
        | <field> | <value> |
      Then the answer is 400 INVALID_PARAMS
      And its message names "<named>"
      And it says:
        | retriable | false |

      Examples:
        | field         | value                               | named         |
        | max_tokens    | 0                                   | max_tokens    |
        | max_tokens    | "5"                                 | max_tokens    |
        | surprise      | 1                                   | surprise      |
        | priority      | urgent                              | priority      |
        | prompt        | (left out)                          | prompt        |
        | messages      | [{ role: user, content: Hello }]    | messages      |
        | ctx           | 100000                              | ctx           |
        | max_tokens    | 8192                                | max_tokens    |
        | determinism   | sloppy                              | determinism   |
        | session_id    | "no spaces"                         | session_id    |

    Scenario: Strict determinism needs a seed
      When Ana sends task "odd" with:
        | determinism | strict     |
        | seed        | (left out) |
      Then the answer is 400 INVALID_PARAMS
      And its message names "seed"

  Rule: Each situation has its status and its code

    Scenario Outline: <request> with <content type> <body>
      When Ana requests "<request>" with:
        | Content-Type | <content type> |
        | body         | <body>         |
      Then the answer is <status> <code>

      Examples:
        | request        | content type                      | body        | status | code           |
        | POST /v1/tasks | application/json                  | {"task_id": | 400    | INVALID_PARAMS |
        | POST /v1/tasks | application/json                  | null        | 400    | INVALID_PARAMS |
        | POST /v1/tasks | text/plain                        | hello       | 415    | INVALID_PARAMS |
        | POST /v1/tasks | application/json; charset=klingon | {}          | 415    | INVALID_PARAMS |

    Scenario Outline: <request>
      When Ana requests "<request>"
      Then the answer is <status> <code>

      Examples:
        | request                                                                                    | status | code           |
        | GET /nowhere                                                                               | 404    | NOT_FOUND      |
        | GET /v1/tasks/nobody                                                                       | 404    | NOT_FOUND      |
        | GET /v1/tasks/nobody/stream                                                                | 404    | NOT_FOUND      |
        | GET /v1/sessions/nobody                                                                    | 404    | NOT_FOUND      |
        | GET /v1/pools/nobody/health                                                                | 404    | NOT_FOUND      |
        | GET /v1/artifacts/sha256:0000000000000000000000000000000000000000000000000000000000000000 | 404    | NOT_FOUND      |
        | GET /v1/artifacts/no-digest                                                                | 400    | INVALID_PARAMS |
        | GET /v1/tasks/100%                                                                         | 400    | INVALID_PARAMS |
        | GET /v1/tasks?limit=0                                                                      | 400    | INVALID_PARAMS |
        | GET /v1/tasks?surprise=1                                                                   | 400    | INVALID_PARAMS |

    Scenario: A method the path does not have
      When Ana requests "DELETE /v1/tasks"
      Then the answer is 405 INVALID_PARAMS
      And its header "Allow" is /GET, POST|POST, GET/

    Scenario: A model or an engine nobody serves
      When Ana sends task "homeless" with:
        | model_ref | mock:v2 |
      Then the answer is 404 NOT_FOUND
      And its message names "mock:v2"

    Scenario: The same id with another body
      Given Ana has sent task "one"
      When Ana sends task "one" with:
        | max_tokens | 3 |
      Then the answer is 409 CONFLICT
      And its message names "task_id"

    Scenario: A body above the limit
      Given the configuration has:
        """
        limits: { body_bytes: 1024 }
        """
      When Ana sends task "large" with a prompt of 1000 characters
      Then the answer is 413 INVALID_PARAMS
      And its message names "limits.body_bytes"

    Scenario: What nobody foresaw
      Given a defect in the daemon that throws "a secret detail"
      When Ana lists the pools
      Then the answer is 500 INTERNAL
      And it does not contain "a secret detail"
      And the log has "a secret detail" under the correlation id of the answer

  Rule: Every answer can be found in the log

    Scenario: A correlation id that was sent is given back
      When Ana requests "GET /v1/tasks/nobody" with:
        | X-Correlation-Id | my-own-42 |
      Then its header "X-Correlation-Id" is my-own-42
      And it says:
        | correlation_id | my-own-42 |

    Scenario: One that could not stand in a log is replaced
      When Ana requests "GET /v1/tasks/nobody" with:
        | X-Correlation-Id | with a space |
      Then the answer is 404
      And its header "X-Correlation-Id" is /^[0-9a-f]{8}-[0-9a-f-]{27}$/
