"""How to cite the method, as BibTeX."""

CITATION = """\
@inproceedings{chirkova2018bayesian,
  title = {Bayesian Compression for Natural Language Processing},
  author = {Chirkova, Nadezhda and Lobacheva, Ekaterina and Vetrov, Dmitry},
  booktitle = {EMNLP 2018},
  year = {2018},
  url = {https://arxiv.org/abs/1810.10927}
}

@inproceedings{lobacheva2018bayesian,
  title = {Bayesian Sparsification of Gated Recurrent Neural Networks},
  author = {Lobacheva, Ekaterina and Chirkova, Nadezhda and Vetrov, Dmitry},
  booktitle = {NeurIPS 2018 workshop on compact deep neural networks},
  year = {2018},
  url = {https://arxiv.org/abs/1812.05692}
}

@inproceedings{lobacheva2020structured,
  title = {Structured Sparsification of Gated Recurrent Neural Networks},
  author = {Lobacheva, Ekaterina and Chirkova, Nadezhda and Markovich, Alexander and
            Vetrov, Dmitry},
  booktitle = {AAAI 2020},
  year = {2020},
  url = {https://arxiv.org/abs/1911.05585}
}"""
