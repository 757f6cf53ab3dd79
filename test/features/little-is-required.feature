Feature: Little is required
  A task needs a prompt, messages or inputs; the rest has defaults. With `Accept: text/event-stream` the answer to the task is its stream, so
  that one call is enough.

  Background:
    Given the pool:
      | pool  | slots | ctx | first token | next tokens | tokens |
      | north | 1     | 100 | 100 ms      | 10 ms       | 3      |

  Scenario: A prompt is enough
    When Ana sends nothing but:
      | prompt | Once upon a time |
    Then the answer is 202
    And it says:
      | task_id | /^[0-9a-f-]{36}$/ |
      | pool_id | north             |
    When Ana looks at that task
    Then it says:
      | workload   | completion        |
      | model_ref  | mock:v1           |
      | engine     | mock              |
      | priority   | interactive       |
      | session_id | /^[0-9a-f-]{36}$/ |

  Scenario: The fields say what the task is
    When Ana sends nothing but:
      | inputs | [a river, a bridge] |
    And Ana looks at that task
    Then it says:
      | workload | embedding |
    When Ana sends nothing but:
      | prompt | silver river                      |
      | inputs | [the silver river, an old bridge] |
    And Ana looks at that task
    Then it says:
      | workload | rerank |

  Scenario: Nothing is too little
    When Ana sends nothing but:
      | metadata.color | green |
    Then the answer is 400 INVALID_PARAMS
    And its message names "a task needs prompt, messages or inputs"

  Scenario: The model has to be named where several are served
    Given the pools:
      | pool  | model   |
      | north | mock:v1 |
      | south | mock:v2 |
    When Ana sends nothing but:
      | prompt | Hello |
    Then the answer is 400 INVALID_PARAMS
    And its message names "body.model_ref: is required where several models are served: mock:v1, mock:v2"
    When Ana sends nothing but:
      | prompt    | Hello   |
      | model_ref | mock:v2 |
    Then the answer is 202
    And it says:
      | pool_id | south |

  Scenario: The answer may be as long as the context allows
    Given the pool:
      | pool  | slots | ctx | first token | tokens |
      | north | 1     | 20  | 100 ms      | 60     |
    When Ana sends nothing but:
      | task_id | long             |
      | prompt  | Once upon a time |
    And 1 s passes
    Then the end event of "long" says:
      | tokens_in     | 4      |
      | tokens_out    | 16     |
      | finish_reason | length |

  Scenario: A prompt that leaves no room for an answer is refused
    Given the pool:
      | pool  | slots | ctx |
      | north | 1     | 8   |
    When Ana sends nothing but:
      | prompt | one two three four five six seven eight |
    Then the answer is 400 INVALID_PARAMS
    And its message names "body.prompt: the prompt has 10 tokens, which leaves no room in the 8 tokens the engine has"

  Scenario: A budget that is smaller than the context makes the answer shorter
    Given the configuration has:
      """
      sessions: { budgets: { tokens: 10 } }
      """
    And the pool:
      | pool  | slots | first token | tokens |
      | north | 1     | 100 ms      | 60     |
    When Ana sends nothing but:
      | task_id | thrifty          |
      | prompt  | Once upon a time |
    Then the answer is 202
    When 1 s passes
    Then the end event of "thrifty" says:
      | tokens_out    | 6      |
      | finish_reason | length |

  Scenario: A key that may not go above batch sends batch work
    Given Ana's key is limited to:
      | top_priority | batch |
    When Ana sends nothing but:
      | prompt | Hello |
    And Ana looks at that task
    Then it says:
      | priority | batch |

  Scenario: The same little body is the same task, another one is not
    Given Ana sends nothing but:
      | task_id | hello |
      | prompt  | Hello |
    When Ana sends the same task "hello" again
    Then the answer is 202
    And both answers for "hello" are the same
    When Ana sends nothing but:
      | task_id  | hello       |
      | prompt   | Hello       |
      | priority | interactive |
    Then the answer is 409 CONFLICT

  Scenario: One call sends the task and streams it
    When Ana sends task "hello" for its stream, with nothing but:
      | prompt | Hello |
    Then the answer is 200
    And its header "Location" is "/v1/tasks/hello"
    And its header "Content-Type" is /^text.event-stream/
    When 1 s passes
    Then the stream of "hello" has the events "started, token, token, token, metrics, end"

  Scenario: Its reader may go and come back
    Given Ana sends task "hello" for its stream, with nothing but:
      | prompt | Hello |
    When 115 ms pass
    And Ana has read 2 tokens of "hello"
    And the connection of Ana's reader of "hello" breaks
    And 1 s passes
    And Ana resumes the stream of "hello"
    Then the readers of "hello" have, one after the other, each of its 3 tokens once
    And the stream of "hello" ends with "end"

  Scenario: The same call again has the same stream from its start
    Given Ana sends task "hello" for its stream, with nothing but:
      | prompt | Hello |
    When 1 s passes
    And Ana sends task "hello" for its stream, with nothing but:
      | prompt | Hello |
    Then all 2 readers of "hello" have the same frames
