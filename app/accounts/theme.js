// @ts-check
// The theme of the log-in page: the one that was chosen in the app, or else that of the system.

const chosen = new URL(location.href).searchParams.get("__theme") || localStorage.getItem("synthaug.theme");
const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.classList.toggle("dark", dark);
