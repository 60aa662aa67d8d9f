NAMES = {3: "triangle", 4: "square"}


def shout(text: str) -> str:
    return text.upper()
