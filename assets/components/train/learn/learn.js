gnet.learning.put(element.querySelector("details"), props.texts);
