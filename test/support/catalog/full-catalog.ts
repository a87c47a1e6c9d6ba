/** A catalog that uses everything, in the form in which dump writes it. */
export const FULL = `_format_version: "1.0"
tax_codes:
  - key: default
    name: Provider default
    description: "No code of its own: the tax provider uses the one set there."
    app_mappings: []
  - key: nontaxable
    name: Nontaxable
    app_mappings:
      - app_type: stripe
        tax_code: txcd_00000000
  - key: saas
    name: Software as a service
    app_mappings:
      - app_type: stripe
        tax_code: txcd_10103001
tax_code_defaults:
  invoicing_tax_code:
    key: saas
  credit_grant_tax_code:
    key: nontaxable
meters:
  - key: requests
    name: Requests
    description: Every request
    labels:
      team: api
    aggregation: count
    event_type: kong.api_request
    events_from: 2026-01-01T00:00:00Z
    dimensions:
      route: $.route_name
      service: $.service_name
  - key: tokens
    name: Tokens
    aggregation: sum
    event_type: kong.llm_request
    value_property: $.tokens
    dimensions:
      model: $.model
features:
  - key: chat
    name: Chat requests
    meter:
      key: requests
      filters:
        route:
          or:
            - eq: chat
            - contains: talk
    unit_cost:
      type: manual
      amount: "0.0001"
  - key: sso
    name: Single sign-on
  - key: tokens
    name: Tokens
    meter:
      key: tokens
    unit_cost:
      type: llm
      provider: openai
      model_property: model
      token_type: input
addons:
  - key: support
    name: Support
    instance_type: multiple
    currency: USD
    rate_cards:
      - key: support
        name: Support
        billing_cadence: P1M
        price:
          type: flat
          amount: "50"
plans:
  - key: premium
    name: Premium
    currency: USD
    billing_cadence: P1M
    pro_rating_enabled: false
    phases:
      - key: trial
        name: Trial
        duration: P1M
        rate_cards:
          - key: chat
            name: Chat
            feature:
              key: chat
            billing_cadence: P1M
            price:
              type: free
      - key: default
        name: Default
        rate_cards:
          - key: base
            name: Base fee
            billing_cadence: P1M
            price:
              type: flat
              amount: "9.99"
            tax_config:
              behavior: exclusive
              code:
                key: saas
            payment_term: in_advance
          - key: setup
            name: Setup
            price:
              type: flat
              amount: "100"
          - key: chat
            name: Chat
            feature:
              key: chat
            billing_cadence: P1M
            price:
              type: unit
              amount: "1"
            commitments:
              minimum_amount: "5"
              maximum_amount: "500"
            discounts:
              percentage: 12.5
              usage: "1"
            unit_config:
              operation: divide
              conversion_factor: "5000"
              display_unit: packages
              rounding: ceiling
          - key: tokens
            name: Tokens
            feature:
              key: tokens
            billing_cadence: P1M
            price:
              type: graduated
              tiers:
                - up_to_amount: "1000"
                  flat_price:
                    type: flat
                    amount: "0"
                - unit_price:
                    type: unit
                    amount: "0.00001"
            entitlement:
              type: metered
              limit: 1000000
              is_soft_limit: true
          - key: sso
            name: Single sign-on
            feature:
              key: sso
            billing_cadence: P1M
            price:
              type: free
            entitlement:
              type: static
              config:
                providers:
                  - saml
                  - 12345678901234567890
                domain: null
    addons:
      - addon:
          key: support
        name: Support
        from_plan_phase: default
        max_quantity: 3
  - key: premium
    status: draft
    name: Premium, next year
    currency: USD
    billing_cadence: P1M
    phases:
      - key: default
        name: Default
        rate_cards:
          - key: base
            name: Base fee
            billing_cadence: P1M
            price:
              type: flat
              amount: "12"
`;
