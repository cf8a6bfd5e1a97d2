"""Python's clients with `bertha serve`: OpenAI's, Cohere's and Hugging Face's, those of them that are installed.

pip install openai cohere huggingface_hub
npx bertha serve --model all-MiniLM-L6-v2=DIR --model reranker=DIR          in another terminal
python clients.py [http://127.0.0.1:3000]
"""

import os
import sys

address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3000"
key = os.environ.get("API_KEY", "none")
documents = ["Parcels are delivered within three working days.", "The museum opens at nine.", "You can return any item for a refund."]


def with_openai():
    from openai import OpenAI

    client = OpenAI(base_url=f"{address}/v1", api_key=key)
    found = client.embeddings.create(model="all-MiniLM-L6-v2", input=documents)
    print("openai:", len(found.data), "vectors of", len(found.data[0].embedding))


def with_cohere():
    import cohere

    client = cohere.ClientV2(base_url=address, api_key=key)
    best = client.rerank(model="reranker", query="Can I send it back?", documents=documents, top_n=1).results[0]
    print("cohere:", documents[best.index], round(best.relevance_score, 3))


def with_hugging_face():
    from huggingface_hub import InferenceClient

    client = InferenceClient(model=f"{address}/models/all-MiniLM-L6-v2", token=key)
    print("huggingface_hub:", client.feature_extraction(documents).shape)


for example in (with_openai, with_cohere, with_hugging_face):
    try:
        example()
    except ModuleNotFoundError as missing:
        print("not installed:", missing.name)
