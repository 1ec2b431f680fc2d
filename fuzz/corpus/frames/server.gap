{
  "type": "gap",
  "room": "019a3f6c-5d10-7c31-9b52-2f0c5a7e1d44",
  "from": 129,
  "to": 731
}
