"""What stands behind the encoders: images, sentences, classifiers, vectors, and embeddings kept on disk."""
