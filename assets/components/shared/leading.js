// Brings a part into view: smoothly, or at once for those who asked their system for less motion.
// `block` is where it then stands: "start", "center", "nearest".
gnet.lead = (part, block = "start") => {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  part.scrollIntoView({ block, behavior: still ? "instant" : "smooth" });
};
