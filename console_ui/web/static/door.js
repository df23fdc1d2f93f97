// Old addresses say behind '#' where they lead: /ui/#w=agentRegistration. Only a script can see
// that part; without one, the page offers the same way as a button.
const door = new URLSearchParams(location.hash.slice(1)).get("w");
const way = [...document.querySelectorAll("[data-door]")].find((each) => each.dataset.door === door);
if (way) location.replace(way.href);
